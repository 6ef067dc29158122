// How a program begins and ends under the emulation, and the signals that end it before.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <execinfo.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "errors.h"
#include "memory.h"

namespace mlsys {

volatile int time_is_over;

namespace {

void on_signal(int number, siginfo_t *info, void *raw)
{
    ucontext_t *at = (ucontext_t *)raw;
    uintptr_t pc = 0;
#if defined(__x86_64__)
    pc = (uintptr_t)at->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    pc = at->uc_mcontext.pc;
#endif
    Thread *t = now;
    Json json;
    if (t && running)
        describe(json, *t);
    json.put("pc", (unsigned)(pc < 0xffffffff ? pc + 1 : 0)).put("signal", number);
    uintptr_t address = (uintptr_t)info->si_addr;
    const char *kind = "crash";
    if (number == SIGALRM) {
        kind = "timeout";
        // the host's own time is the checker's to watch; a kernel is stopped at its next turn, and by force when it has none
        if (!running || !t || !time_is_over) {
            time_is_over = running != nullptr;
            return;
        }
    } else if (t && address - ((uintptr_t)t->stack - 4096) < 4096) {
        kind = "stack-overflow";
    } else if (!t && in_arena(address)) {
        kind = "device-pointer-on-host";
    }
    if (pc >= 0xffffffff || !pc) {
        // in a library: the nearest of its callers that is in the program
        void *frames[32];
        int count = backtrace(frames, 32);
        for (int i = 0; i < count; i++)
            if ((uintptr_t)frames[i] < 0xffffffff) {
                json = Json();
                if (t && running)
                    describe(json, *t);
                json.put("pc", (unsigned)(uintptr_t)frames[i]).put("signal", number);
                break;
            }
    }
    fail(kind, json);
}

// After the program's own destructors, before ours: nothing of what the report tells is gone yet.
void at_end(int code, void *)
{
    write_report("");
    fflush(nullptr);
    __real__exit(code);
}

// The last of the runtime's initialisers, and the runtime is linked before the program: all is ready when the program's run.
bool begin()
{
    set_up_memory();
    static char other_stack[64 << 10];
    stack_t stack{};
    stack.ss_sp = other_stack, stack.ss_size = sizeof other_stack;
    sigaltstack(&stack, nullptr);
    struct sigaction action{};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM})
        sigaction(number, &action, nullptr);
    if (const char *seconds = getenv("MLSYS_SECONDS")) {
        double left = strtod(seconds, nullptr);
        itimerval timer{};
        timer.it_value.tv_sec = (time_t)left, timer.it_value.tv_usec = (suseconds_t)((left - (double)(time_t)left) * 1e6);
        // once it is over, a kernel that begins is stopped soon
        timer.it_interval.tv_usec = 40000;
        if (left > 0)
            setitimer(ITIMER_REAL, &timer, nullptr);
    }
    on_exit(at_end, nullptr);
    return true;
}
const bool begun = begin();

}  // namespace

}  // namespace mlsys
