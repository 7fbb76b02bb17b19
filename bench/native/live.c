/*
 * The live kernel under the same load as the twin and the simulator: a write fault per page and
 * MADV_DONTNEED per 2 MiB (`shared`: per part), over an anonymous mapping of small pages
 * (MADV_NOHUGEPAGE).
 *
 *   live MODE THREADS MILLISECONDS
 *     MODE   disjoint: each thread sweeps 64 MiB of its own, 2 MiB at a time
 *            hot: all threads work in the same 2 MiB
 *            shared: the same 2 MiB, but each thread keeps to an equal part of its pages
 *
 * Prints one JSON line. `pages` counts page faults (in `hot` as the kernel counts them for the
 * process, since a thread cannot know whether its write faulted); `nsPerPageWall` is wall time
 * divided by it. With one thread the share of fault and zap is given as well. `vmpteKiB` is the
 * process's VmPTE with the mapping untouched and after the last DONTNEED.
 */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#define PAGE_BYTES 4096ul
#define SLOT_BYTES (2ul << 20)
#define SLOTS_PER_THREAD 32
#define THREADS_MAX 64

struct cpu {
  _Alignas(64) char *first;
  size_t slot_bytes; /* Of each slot, from `first` on. */
  int slots;
  uint64_t touched;
  double fault_ns, zap_ns, start_ns, end_ns;
  pthread_t thread;
};

static struct cpu cpus[THREADS_MAX];
static atomic_int stop;
static pthread_barrier_t start_line;

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void *cpu_main(void *arg) {
  struct cpu *c = arg;
  pthread_barrier_wait(&start_line);
  double before = c->start_ns = now_ns();
  int slot = 0;
  do {
    char *at = c->first + slot * SLOT_BYTES;
    for (size_t i = 0; i < c->slot_bytes; i += PAGE_BYTES) *(volatile char *)(at + i) = 1;
    double between = now_ns();
    if (madvise(at, c->slot_bytes, MADV_DONTNEED) != 0) abort();
    double after = now_ns();
    c->fault_ns += between - before;
    c->zap_ns += after - between;
    c->touched += c->slot_bytes / PAGE_BYTES;
    before = after;
    slot = slot + 1 == c->slots ? 0 : slot + 1;
  } while (!atomic_load_explicit(&stop, memory_order_relaxed));
  c->end_ns = before;
  return NULL;
}

/* Minor faults of the process so far. */
static long faults(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

static long vmpte_kib(void) {
  char line[256];
  long kib = -1;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status)) sscanf(line, "VmPTE: %ld", &kib);
  if (status) fclose(status);
  return kib;
}

int main(int argc, char **argv) {
  int hot = argc > 1 && strcmp(argv[1], "hot") == 0;
  int shared = argc > 1 && strcmp(argv[1], "shared") == 0;
  int one_slot = hot || shared;
  int threads = argc > 2 ? atoi(argv[2]) : 0;
  int ms = argc > 3 ? atoi(argv[3]) : 0;
  if (argc != 4 || (!one_slot && strcmp(argv[1], "disjoint") != 0) || threads < 1 ||
      threads > THREADS_MAX || ms < 1) {
    fprintf(stderr, "usage: live disjoint|hot|shared THREADS(1-%d) MS\n", THREADS_MAX);
    return 2;
  }
  /* One slot more, so that the range can begin on a slot. */
  size_t bytes = (size_t)(one_slot ? 1 : threads * SLOTS_PER_THREAD) * SLOT_BYTES + SLOT_BYTES;
  char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED || madvise(map, bytes, MADV_NOHUGEPAGE) != 0) {
    perror("live");
    return 1;
  }
  map = (char *)(((uintptr_t)map + SLOT_BYTES - 1) & ~(SLOT_BYTES - 1));
  pthread_barrier_init(&start_line, NULL, threads + 1);
  for (int i = 0; i < threads; i++) {
    struct cpu *c = &cpus[i];
    c->slot_bytes = shared ? SLOT_BYTES / PAGE_BYTES / threads * PAGE_BYTES : SLOT_BYTES;
    c->slots = one_slot ? 1 : SLOTS_PER_THREAD;
    c->first = map + (hot ? 0 : i * c->slots * (shared ? c->slot_bytes : SLOT_BYTES));
    if (pthread_create(&c->thread, NULL, cpu_main, c) != 0) return 1;
  }
  long vmpte_before = vmpte_kib(), faults_before = faults();
  pthread_barrier_wait(&start_line);
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
  atomic_store(&stop, 1);
  uint64_t touched = 0;
  double start_ns = INFINITY, end_ns = 0;
  for (int i = 0; i < threads; i++) {
    pthread_join(cpus[i].thread, NULL);
    touched += cpus[i].touched;
    if (cpus[i].start_ns < start_ns) start_ns = cpus[i].start_ns;
    if (cpus[i].end_ns > end_ns) end_ns = cpus[i].end_ns;
  }
  uint64_t pages = hot ? (uint64_t)(faults() - faults_before) : touched;
  double per_page = pages ? (end_ns - start_ns) / pages : 0.0;
  printf("{\"nsPerPageWall\":%.3f,\"pages\":%llu,\"threads\":%d,\"mode\":\"%s\",", per_page,
         (unsigned long long)pages, threads, argv[1]);
  if (threads == 1)
    printf("\"faultNs\":%.3f,\"zapNs\":%.3f,", cpus[0].fault_ns / pages, cpus[0].zap_ns / pages);
  printf("\"touches\":%llu,\"vmpteKiB\":{\"before\":%ld,\"after\":%ld}}\n",
         (unsigned long long)touched, vmpte_before, vmpte_kib());
  return 0;
}
