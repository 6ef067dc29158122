// Fills a histogram from several threads and reports what it counted. It judges nothing. (Plain C but for the learner's
// class: the standard library's thread and string headers would take longer to compile than everything else.)
// Numbers come as i32 and go as u64.
//
//   count       while there is input: threads, bins, n, for each thread its n bins -> the count of every bin
//   watch       as count, while one more thread adds up all bins again and again
//               -> the count of every bin, the number of sums, the sums
//   layout      while there is input: threads, bins, a number of bytes to allocate first, so that no alignment is there by
//               luck -> for every slot in the order (thread, bin): its address, the value there before one
//               add(thread, bin), and after it
//   time CPU... while there is input: rounds, bins, n, for each CPU its n bins; a thread on each of the CPUs counts its
//               n bins `rounds` times -> the count of every bin
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <sched.h>

#include LAYOUT

constexpr int MOST_THREADS = 16, MOST_SUMS = 300;

static bool take(void *to, std::size_t bytes) { return bytes == 0 || std::fread(to, bytes, 1, stdin) == 1; }
static void give(std::uint64_t value) { std::fwrite(&value, sizeof value, 1, stdout); }

static void give_counts(const Histogram &histogram, int bins) {
    for (int bin = 0; bin < bins; bin++) give(histogram.count(bin));
}

// Nobody begins a round before all have ended the last one. Waiting spins: on a busy machine a thread that ran ahead
// alone would meet no other core in its cache lines, and there would be nothing to measure.
struct Meeting {
    int threads;
    alignas(128) std::atomic<int> arrived{0};
    alignas(128) std::atomic<int> rounds{0};

    void wait() {
        int round = rounds.load();
        if (arrived.fetch_add(1) + 1 == threads) {
            arrived.store(0);
            rounds.store(round + 1);
        }
        while (rounds.load() == round) {
        }
    }
};

struct Job {
    Histogram *histogram;
    Meeting *meeting;  // or null: everybody runs as he can
    int thread, cpu, rounds, n;
    const int *bins;
};

static void *fill(void *arg) {
    const Job job = *static_cast<Job *>(arg);
    if (job.meeting) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(job.cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
    }
    for (int round = 0; round < job.rounds; round++) {
        if (job.meeting) job.meeting->wait();
        for (int i = 0; i < job.n; i++) job.histogram->add(job.thread, job.bins[i]);
    }
    return nullptr;
}

// One thread for each row of `bins` [threads, n]; on the CPUs, where there are any, and then in step.
static void fill_together(Histogram &histogram, int threads, int rounds, int n, const int *bins, const int *cpus) {
    pthread_t thread[MOST_THREADS];
    Job job[MOST_THREADS];
    Meeting meeting{threads};
    for (int t = 0; t < threads; t++) {
        job[t] = {&histogram, cpus ? &meeting : nullptr, t, cpus ? cpus[t] : 0, rounds, n, bins + std::size_t(t) * n};
        pthread_create(&thread[t], nullptr, fill, &job[t]);
    }
    for (int t = 0; t < threads; t++) pthread_join(thread[t], nullptr);
}

struct Watch {
    const Histogram *histogram;
    int bins, sums;
    std::uint64_t sum[MOST_SUMS];
    std::atomic<bool> done;
};

static void *watch(void *arg) {
    Watch &w = *static_cast<Watch *>(arg);
    for (w.sums = 0; w.sums < MOST_SUMS && !w.done.load(std::memory_order_relaxed); w.sums++) {
        w.sum[w.sums] = 0;
        for (int bin = 0; bin < w.bins; bin++) w.sum[w.sums] += w.histogram->count(bin);
        sched_yield();
    }
    return nullptr;
}

// Reads the rows of bins, fills, reports; with CPUs in step on them.
static void count(int threads, int rounds, int bins, int n, const int *cpus, bool watched) {
    int *data = static_cast<int *>(std::malloc(sizeof(int) * threads * n + 1));
    if (threads > MOST_THREADS || !take(data, sizeof(int) * threads * n)) std::exit(2);
    Histogram histogram(threads, bins);
    Watch watcher{&histogram, bins, 0, {}, false};
    pthread_t thread;
    if (watched) pthread_create(&thread, nullptr, watch, &watcher);
    fill_together(histogram, threads, rounds, n, data, cpus);
    watcher.done.store(true, std::memory_order_relaxed);
    if (watched) pthread_join(thread, nullptr);
    give_counts(histogram, bins);
    if (watched) give(watcher.sums);
    for (int i = 0; i < watcher.sums; i++) give(watcher.sum[i]);
    std::fflush(stdout);
    std::free(data);
}

static void layout(int threads, int bins, int bytes_before) {
    static void *volatile before_it;  // volatile: an allocation that nobody uses may be optimised away
    before_it = std::malloc(bytes_before);
    Histogram histogram(threads, bins);
    for (int t = 0; t < threads; t++)
        for (int bin = 0; bin < bins; bin++) {
            const void *slot = histogram.address(t, bin);
            std::uint64_t before, after;
            std::memcpy(&before, slot, sizeof before);
            histogram.add(t, bin);
            std::memcpy(&after, slot, sizeof after);
            give(reinterpret_cast<std::uintptr_t>(slot));
            give(before);
            give(after);
        }
    std::fflush(stdout);
    std::free(before_it);
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    int cpus[MOST_THREADS], threads = 0, head[3];
    for (int i = 2; i < argc && threads < MOST_THREADS; i++) cpus[threads++] = std::atoi(argv[i]);
    if (!std::strcmp(mode, "layout"))
        while (take(head, sizeof head)) layout(head[0], head[1], head[2]);
    else if (!std::strcmp(mode, "time") && threads)
        while (take(head, sizeof head)) count(threads, head[0], head[1], head[2], cpus, false);
    else if (!std::strcmp(mode, "count") || !std::strcmp(mode, "watch"))
        while (take(head, sizeof head)) count(head[0], 1, head[1], head[2], nullptr, !std::strcmp(mode, "watch"));
    else
        return 2;
    return 0;
}
