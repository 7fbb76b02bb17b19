/*
 * The loop around a library's RCU: the program that includes this defines what one CPU does.
 *
 *   static void peer_initialize(void)          once, before all else
 *   static void peer_online(struct peer *)     the calling thread takes part from now on
 *   static void peer_offline(struct peer *)    and no more
 *   static void peer_enter(struct peer *)      opens a read section
 *   static void peer_leave(struct peer *)      closes it
 *   static void peer_quiescent(struct peer *)  between sections; may be nothing
 *   static void peer_synchronize(struct peer *)
 *
 *   PROGRAM section MILLISECONDS   a read section entered and left, one thread
 *   PROGRAM grace MILLISECONDS     a grace period waited for, while another thread is busy reading
 *
 * Prints one JSON line.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Sections between two looks at the clock. */
#define BATCH 4096

static atomic_int stop;
static pthread_barrier_t start_line;

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Nothing is moved across this. */
static inline void fence(void) { __asm__ volatile("" ::: "memory"); }

static double section_ns(struct peer *p, double limit_ns) {
  uint64_t sections = 0;
  double start = now_ns(), now;
  peer_online(p);
  do {
    for (int i = 0; i < BATCH; i++) {
      peer_enter(p);
      fence();
      peer_leave(p);
      fence();
    }
    peer_quiescent(p);
    sections += BATCH;
    now = now_ns();
  } while (now - start < limit_ns);
  peer_offline(p);
  return (now - start) / sections;
}

static void *reader_main(void *arg) {
  struct peer *p = arg;
  peer_online(p);
  pthread_barrier_wait(&start_line);
  while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
    peer_enter(p);
    fence();
    peer_leave(p);
    peer_quiescent(p);
  }
  peer_offline(p);
  return NULL;
}

/* Whoever waits holds no reference: a thread that is registered may not be waited for by itself. */
static double grace_ns(struct peer *reader, struct peer *writer, double limit_ns) {
  pthread_t thread;
  pthread_barrier_init(&start_line, NULL, 2);
  if (pthread_create(&thread, NULL, reader_main, reader) != 0) exit(1);
  pthread_barrier_wait(&start_line);
  uint64_t periods = 0;
  double start = now_ns(), now;
  do {
    peer_synchronize(writer);
    periods++;
    now = now_ns();
  } while (now - start < limit_ns);
  atomic_store(&stop, 1);
  pthread_join(thread, NULL);
  return (now - start) / periods;
}

int main(int argc, char **argv) {
  int ms = argc == 3 ? atoi(argv[2]) : 0;
  int grace = argc == 3 && strcmp(argv[1], "grace") == 0;
  if (ms < 1 || (!grace && strcmp(argv[1], "section") != 0)) {
    fprintf(stderr, "usage: section|grace MS\n");
    return 2;
  }
  static struct peer reader, writer;
  peer_initialize();
  double ns = grace ? grace_ns(&reader, &writer, ms * 1e6) : section_ns(&reader, ms * 1e6);
  printf("{\"ns\":%.3f}\n", ns);
  return 0;
}
