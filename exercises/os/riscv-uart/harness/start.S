# The first instructions after reset, in machine mode, with no stack and no C yet.

    .section .text.start, "ax"
    .globl _start
_start:
    la      sp, _stack_top
    la      t0, stray_trap          # until the learner's code says otherwise
    csrw    mtvec, t0
    la      t0, _bss                # C expects its zeros
    la      t1, _bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b
2:  call    main
    li      a0, 0
    call    board_halt

    .balign 4                       # the low two bits of mtvec are its mode
stray_trap:
    la      sp, _stack_top          # nothing goes on after this
    csrr    a0, mcause
    csrr    a1, mepc
    csrr    a2, mtval
    call    board_stray_trap
