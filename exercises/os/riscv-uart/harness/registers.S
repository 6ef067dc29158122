# uint64_t spin_with_registers(uint64_t seed, uint64_t until)
#
# Fills 27 registers with multiples of the seed, waits until mtime reaches `until`, and folds what the registers
# then hold into one number: h = 31 * h + register, for each in the order of EACH. The stack pointer and the three
# registers of the waiting loop (a0, a1, a2) are left out.

    .macro EACH operation
    .irp r, ra, gp, tp, t0, t1, t2, s0, s1, a3, a4, a5, a6, a7, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6
    \operation \r
    .endr
    .endm

    .macro SAVE r
    addi    sp, sp, -8
    sd      \r, 0(sp)
    .endm

    .macro FILL r
    add     a2, a2, a0
    mv      \r, a2
    .endm

    .macro FOLD r
    mul     a2, a2, a0
    add     a2, a2, \r
    .endm

    .text
    .globl spin_with_registers
spin_with_registers:
    EACH SAVE
    addi    sp, sp, -8              # 28 slots: the stack stays aligned to 16 bytes
    li      a2, 0
    EACH FILL
    li      a0, 0x0200bff8          # mtime
1:  ld      a2, 0(a0)
    bltu    a2, a1, 1b
    li      a0, 31
    li      a2, 0
    EACH FOLD
    mv      a0, a2
    addi    sp, sp, 8
    .irp r, t6, t5, t4, t3, s11, s10, s9, s8, s7, s6, s5, s4, s3, s2, a7, a6, a5, a4, a3, s1, s0, t2, t1, t0, tp, gp, ra
    ld      \r, 0(sp)
    addi    sp, sp, 8
    .endr
    ret
