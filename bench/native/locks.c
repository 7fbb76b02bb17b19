/*
 * Native locks under the loop that the simulator's locks are measured with: take, add to a word
 * that the lock protects, release, and again.
 *
 *   locks ALGORITHM THREADS MILLISECONDS
 *     ALGORITHM  tas: exchange until it was free
 *                ttas-backoff: look until it is free, and wait ever longer after each failure
 *                ticket, mcs: first come, first served; the next in line spins
 *                pthread_mutex, pthread_spinlock: of the C library
 *
 * Prints one JSON line: wall time by acquisitions of all threads, and those of each.
 */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 64
#define LINE _Alignas(64)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define BACKOFF_LEAST 4
#define BACKOFF_MOST 1024
/* Pauses of a waiter before it gives up its core. */
#define SPINS 1000

typedef _Atomic uint32_t word;

struct node {
  LINE _Atomic(struct node *) next;
  word waiting;
};

struct thread {
  LINE pthread_t handle;
  struct node node;
  uint64_t acquisitions;
  double start_ns, end_ns;
};

static LINE word held;
static LINE word next_ticket;
static LINE word serving;
static LINE _Atomic(struct node *) last;
static LINE pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static LINE pthread_spinlock_t spinlock;

static LINE uint32_t data;
static LINE atomic_int stop;
static pthread_barrier_t start_line;
static struct thread threads[THREADS_MAX];

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

ALWAYS_INLINE void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

ALWAYS_INLINE void tas_lock(struct thread *t) {
  (void)t;
  while (atomic_exchange_explicit(&held, 1, memory_order_acquire)) relax();
}

ALWAYS_INLINE void held_unlock(struct thread *t) {
  (void)t;
  atomic_store_explicit(&held, 0, memory_order_release);
}

ALWAYS_INLINE void backoff_lock(struct thread *t) {
  (void)t;
  int pauses = BACKOFF_LEAST, spun = 0;
  while (atomic_exchange_explicit(&held, 1, memory_order_acquire)) {
    for (int i = 0; i < pauses; i++) relax();
    if (pauses < BACKOFF_MOST) pauses *= 2;
    while (atomic_load_explicit(&held, memory_order_relaxed)) {
      relax();
      if (++spun % SPINS == 0) nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    }
  }
}

ALWAYS_INLINE void ticket_lock(struct thread *t) {
  (void)t;
  uint32_t mine = atomic_fetch_add_explicit(&next_ticket, 1, memory_order_relaxed);
  while (atomic_load_explicit(&serving, memory_order_acquire) != mine) relax();
}

ALWAYS_INLINE void ticket_unlock(struct thread *t) {
  (void)t;
  uint32_t mine = atomic_load_explicit(&serving, memory_order_relaxed);
  atomic_store_explicit(&serving, mine + 1, memory_order_release);
}

ALWAYS_INLINE void mcs_lock(struct thread *t) {
  struct node *node = &t->node;
  atomic_store_explicit(&node->next, NULL, memory_order_relaxed);
  atomic_store_explicit(&node->waiting, 1, memory_order_relaxed);
  struct node *before = atomic_exchange_explicit(&last, node, memory_order_acq_rel);
  if (before == NULL) return;
  atomic_store_explicit(&before->next, node, memory_order_release);
  while (atomic_load_explicit(&node->waiting, memory_order_acquire)) relax();
}

ALWAYS_INLINE void mcs_unlock(struct thread *t) {
  struct node *node = &t->node, *mine = node;
  struct node *next = atomic_load_explicit(&node->next, memory_order_acquire);
  if (next == NULL) {
    if (atomic_compare_exchange_strong_explicit(&last, &mine, NULL, memory_order_release,
                                                memory_order_relaxed))
      return;
    while ((next = atomic_load_explicit(&node->next, memory_order_acquire)) == NULL) relax();
  }
  atomic_store_explicit(&next->waiting, 0, memory_order_release);
}

ALWAYS_INLINE void mutex_lock(struct thread *t) {
  (void)t;
  pthread_mutex_lock(&mutex);
}

ALWAYS_INLINE void mutex_unlock(struct thread *t) {
  (void)t;
  pthread_mutex_unlock(&mutex);
}

ALWAYS_INLINE void spinlock_lock(struct thread *t) {
  (void)t;
  pthread_spin_lock(&spinlock);
}

ALWAYS_INLINE void spinlock_unlock(struct thread *t) {
  (void)t;
  pthread_spin_unlock(&spinlock);
}

/* Each algorithm has a loop of its own, into which it is inlined. */
#define LOOP(name, lock, unlock)                         \
  static void *name(void *arg) {                         \
    struct thread *t = arg;                              \
    uint64_t taken = 0;                                  \
    pthread_barrier_wait(&start_line);                   \
    t->start_ns = now_ns();                              \
    do {                                                 \
      lock(t);                                           \
      *(volatile uint32_t *)&data += 1;                  \
      unlock(t);                                         \
      taken++;                                           \
    } while (!atomic_load_explicit(&stop, memory_order_relaxed)); \
    t->acquisitions = taken;                             \
    t->end_ns = now_ns();                                \
    return NULL;                                         \
  }

LOOP(tas_loop, tas_lock, held_unlock)
LOOP(backoff_loop, backoff_lock, held_unlock)
LOOP(ticket_loop, ticket_lock, ticket_unlock)
LOOP(mcs_loop, mcs_lock, mcs_unlock)
LOOP(mutex_loop, mutex_lock, mutex_unlock)
LOOP(spinlock_loop, spinlock_lock, spinlock_unlock)

static const struct {
  const char *name;
  void *(*loop)(void *);
} algorithms[] = {
  {"tas", tas_loop}, {"ttas-backoff", backoff_loop},   {"ticket", ticket_loop},
  {"mcs", mcs_loop}, {"pthread_mutex", mutex_loop},    {"pthread_spinlock", spinlock_loop},
};

int main(int argc, char **argv) {
  int count = argc > 2 ? atoi(argv[2]) : 0;
  int ms = argc > 3 ? atoi(argv[3]) : 0;
  void *(*loop)(void *) = NULL;
  for (size_t i = 0; argc > 1 && i < sizeof algorithms / sizeof algorithms[0]; i++)
    if (strcmp(argv[1], algorithms[i].name) == 0) loop = algorithms[i].loop;
  if (argc != 4 || loop == NULL || count < 1 || count > THREADS_MAX || ms < 1) {
    fprintf(stderr, "usage: locks ALGORITHM THREADS(1-%d) MS\n", THREADS_MAX);
    return 2;
  }
  pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
  pthread_barrier_init(&start_line, NULL, count + 1);
  for (int i = 0; i < count; i++)
    if (pthread_create(&threads[i].handle, NULL, loop, &threads[i]) != 0) return 1;
  pthread_barrier_wait(&start_line);
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
  atomic_store(&stop, 1);
  uint64_t sum = 0;
  double start_ns = INFINITY, end_ns = 0;
  for (int i = 0; i < count; i++) {
    pthread_join(threads[i].handle, NULL);
    sum += threads[i].acquisitions;
    if (threads[i].start_ns < start_ns) start_ns = threads[i].start_ns;
    if (threads[i].end_ns > end_ns) end_ns = threads[i].end_ns;
  }
  if (data != (uint32_t)sum) {
    fprintf(stderr, "locks: %s let additions get lost\n", argv[1]);
    return 1;
  }
  printf("{\"nsPerAcquisition\":%.3f,\"acquisitions\":[", (end_ns - start_ns) / sum);
  for (int i = 0; i < count; i++)
    printf("%s%llu", i ? "," : "", (unsigned long long)threads[i].acquisitions);
  printf("]}\n");
  return 0;
}
