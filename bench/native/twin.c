/*
 * The native twin: the least that a fault and a zap can cost. A walk over four levels of 32-bit
 * entries in one array, a spinlock per table, a page from a per-CPU list, one entry set; then 512
 * entries zapped, the pmd cleared under pmd lock and PTL, and the table put on a free list. There
 * are no VMAs, no RSS, no RCU, no statistics and no checks: it is the floor, not a rival.
 *
 *   twin MODE THREADS ORDER MILLISECONDS
 *     MODE   disjoint: each thread sweeps 64 MiB of its own, 2 MiB at a time
 *            hot: all threads work in the same 2 MiB
 *            shared: the same 2 MiB, but each thread keeps to an equal part of its pages. As in
 *            Linux, who zaps less than a table leaves the table where it is.
 *     ORDER  seq_cst or release: memory order of the lock words. Entries are relaxed accesses that
 *            a lock orders, as in the simulator; a table is published with a release store.
 *
 * Prints one JSON line. `pages` counts entries set; `nsPerPageWall` is wall time divided by it.
 */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PTRS 512
#define SLOTS_PER_THREAD 32 /* 64 MiB */
#define THREADS_MAX 64
#define TABLES_MAX (4 + THREADS_MAX * SLOTS_PER_THREAD + THREADS_MAX)
#define BATCH PTRS /* Pages that move at once between a thread's list and the shared one. */
#define PAGES_PER_THREAD (6 * BATCH)
#define PAGES_MAX (THREADS_MAX * PAGES_PER_THREAD)
#define SPINS 1000
#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef _Atomic uint32_t word;

struct lock {
  _Alignas(64) word held;
};

/* Table 0 and page 0 are never used: an entry of 0 is none. */
static _Alignas(4096) word entries[TABLES_MAX][PTRS];
static struct lock locks[TABLES_MAX];

static struct lock table_lock;
static uint32_t free_tables[TABLES_MAX], free_table_count;

static struct lock zone_lock;
static uint32_t zone[PAGES_MAX], zone_count;

static uint32_t pgd;
static atomic_int stop;
static pthread_barrier_t start_line;

struct cpu {
  _Alignas(64) uint32_t pages[2 * BATCH];
  uint32_t page_count;
  uint32_t first_slot, slots;
  uint32_t first_index, end_index; /* Of each slot. */
  uint64_t faulted;
  int seq_cst;
  double start_ns, end_ns;
  pthread_t thread;
};

static struct cpu cpus[THREADS_MAX];

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

ALWAYS_INLINE uint32_t get(word *p) { return atomic_load_explicit(p, memory_order_relaxed); }
ALWAYS_INLINE void set(word *p, uint32_t v) { atomic_store_explicit(p, v, memory_order_relaxed); }

/* `seq` is a constant wherever these are inlined: each order gets code of its own. */
ALWAYS_INLINE int lock_try(struct lock *l, int seq) {
  return !(seq ? atomic_exchange_explicit(&l->held, 1, memory_order_seq_cst)
               : atomic_exchange_explicit(&l->held, 1, memory_order_acquire));
}

static void __attribute__((noinline)) lock_wait(struct lock *l) {
  for (int i = 0; get(&l->held); i++) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
    if (i >= SPINS) sched_yield(); /* The holder may have lost its core. */
  }
}

ALWAYS_INLINE void lock(struct lock *l, int seq) {
  while (!lock_try(l, seq)) lock_wait(l);
}

ALWAYS_INLINE void unlock(struct lock *l, int seq) {
  if (seq) atomic_store_explicit(&l->held, 0, memory_order_seq_cst);
  else atomic_store_explicit(&l->held, 0, memory_order_release);
}

static uint32_t table_alloc(int seq) {
  lock(&table_lock, seq);
  if (free_table_count == 0) abort();
  uint32_t table = free_tables[--free_table_count];
  unlock(&table_lock, seq);
  return table;
}

static void table_free(uint32_t table, int seq) {
  lock(&table_lock, seq);
  free_tables[free_table_count++] = table;
  unlock(&table_lock, seq);
}

/* Fills the thread's list from the shared one. */
static void __attribute__((noinline)) pages_refill(struct cpu *c, int seq) {
  lock(&zone_lock, seq);
  if (zone_count < BATCH) abort();
  zone_count -= BATCH;
  memcpy(c->pages, zone + zone_count, BATCH * sizeof zone[0]);
  unlock(&zone_lock, seq);
  c->page_count = BATCH;
}

/* Gives half of a full list to the shared one. */
static void __attribute__((noinline)) pages_drain(struct cpu *c, int seq) {
  c->page_count -= BATCH;
  lock(&zone_lock, seq);
  memcpy(zone + zone_count, c->pages + c->page_count, BATCH * sizeof zone[0]);
  zone_count += BATCH;
  unlock(&zone_lock, seq);
}

ALWAYS_INLINE uint32_t page_alloc(struct cpu *c, int seq) {
  if (c->page_count == 0) pages_refill(c, seq);
  return c->pages[--c->page_count];
}

ALWAYS_INLINE void page_free(struct cpu *c, uint32_t page, int seq) {
  if (c->page_count == 2 * BATCH) pages_drain(c, seq);
  c->pages[c->page_count++] = page;
}

/* The upper levels are never freed; a page number is slot * 512 + index, so 9 bits a level. */
ALWAYS_INLINE uint32_t walk_to_pmd_table(uint32_t page_no) {
  uint32_t pud = atomic_load_explicit(&entries[pgd][(page_no >> 27) & (PTRS - 1)],
                                      memory_order_acquire);
  return atomic_load_explicit(&entries[pud][(page_no >> 18) & (PTRS - 1)], memory_order_acquire);
}

static void __attribute__((noinline)) populate(uint32_t pmd_table, word *pmdp, int seq) {
  uint32_t table = table_alloc(seq); /* Its entries are none: zap left them so. */
  lock(&locks[pmd_table], seq);
  if (get(pmdp) == 0) {
    atomic_store_explicit(pmdp, table, memory_order_release);
    table = 0;
  }
  unlock(&locks[pmd_table], seq);
  if (table != 0) table_free(table, seq);
}

ALWAYS_INLINE void fault(struct cpu *c, uint32_t page_no, int seq) {
  uint32_t pmd_table = walk_to_pmd_table(page_no);
  word *pmdp = &entries[pmd_table][(page_no >> 9) & (PTRS - 1)];
  for (;;) {
    uint32_t table = atomic_load_explicit(pmdp, memory_order_acquire);
    if (table == 0) {
      populate(pmd_table, pmdp, seq);
      continue;
    }
    lock(&locks[table], seq);
    if (get(pmdp) == table) { /* The table has not been unhooked meanwhile. */
      word *ptep = &entries[table][page_no & (PTRS - 1)];
      if (get(ptep) == 0) {
        set(ptep, page_alloc(c, seq));
        c->faulted++;
      }
      unlock(&locks[table], seq);
      return;
    }
    unlock(&locks[table], seq);
  }
}

static int is_empty(uint32_t table) {
  for (int i = 0; i < PTRS; i++)
    if (get(&entries[table][i]) != 0) return 0;
  return 1;
}

/* Zaps the thread's part of a slot. Lock order is pmd lock, then PTL; with the PTL held the pmd lock is only tried. */
ALWAYS_INLINE void zap(struct cpu *c, uint32_t slot, int seq) {
  uint32_t pmd_table = walk_to_pmd_table(slot << 9);
  word *pmdp = &entries[pmd_table][slot & (PTRS - 1)];
  uint32_t table = atomic_load_explicit(pmdp, memory_order_acquire);
  if (table == 0) return;
  lock(&locks[table], seq);
  if (get(pmdp) != table) {
    unlock(&locks[table], seq);
    return;
  }
  for (uint32_t i = c->first_index; i < c->end_index; i++) {
    uint32_t page = get(&entries[table][i]);
    if (page == 0) continue;
    set(&entries[table][i], 0);
    page_free(c, page, seq);
  }
  if (c->end_index - c->first_index < PTRS) {
    unlock(&locks[table], seq);
    return;
  }
  int have_pml = lock_try(&locks[pmd_table], seq);
  if (!have_pml) {
    unlock(&locks[table], seq);
    lock(&locks[pmd_table], seq);
    lock(&locks[table], seq);
  }
  int unhook = have_pml || (get(pmdp) == table && is_empty(table));
  if (unhook) set(pmdp, 0);
  unlock(&locks[table], seq);
  unlock(&locks[pmd_table], seq);
  if (unhook) table_free(table, seq);
}

ALWAYS_INLINE void sweep(struct cpu *c, int seq) {
  uint32_t slot = 0;
  do {
    uint32_t page_no = (c->first_slot + slot) << 9;
    for (uint32_t i = c->first_index; i < c->end_index; i++) fault(c, page_no + i, seq);
    zap(c, c->first_slot + slot, seq);
    slot = slot + 1 == c->slots ? 0 : slot + 1;
  } while (!atomic_load_explicit(&stop, memory_order_relaxed));
}

static void *cpu_main(void *arg) {
  struct cpu *c = arg;
  pthread_barrier_wait(&start_line);
  c->start_ns = now_ns();
  if (c->seq_cst) sweep(c, 1);
  else sweep(c, 0);
  c->end_ns = now_ns();
  return NULL;
}

static void boot(int threads) {
  for (uint32_t i = TABLES_MAX - 1; i > 0; i--) free_tables[free_table_count++] = i;
  for (uint32_t i = 1; i < (uint32_t)threads * PAGES_PER_THREAD; i++) zone[zone_count++] = i;
  pgd = table_alloc(1);
  uint32_t pud = table_alloc(1);
  set(&entries[pgd][0], pud);
  /* A PMD table maps 512 slots. */
  int pmd_tables = (threads * SLOTS_PER_THREAD + PTRS - 1) / PTRS;
  for (int i = 0; i < pmd_tables; i++) set(&entries[pud][i], table_alloc(1));
}

int main(int argc, char **argv) {
  int hot = argc > 1 && strcmp(argv[1], "hot") == 0;
  int shared = argc > 1 && strcmp(argv[1], "shared") == 0;
  int one_slot = hot || shared;
  int threads = argc > 2 ? atoi(argv[2]) : 0;
  int seq_cst = argc > 3 && strcmp(argv[3], "seq_cst") == 0;
  int ms = argc > 4 ? atoi(argv[4]) : 0;
  if (argc != 5 || (!one_slot && strcmp(argv[1], "disjoint") != 0) || threads < 1 ||
      threads > THREADS_MAX || (!seq_cst && strcmp(argv[3], "release") != 0) || ms < 1) {
    fprintf(stderr, "usage: twin disjoint|hot|shared THREADS(1-%d) seq_cst|release MS\n", THREADS_MAX);
    return 2;
  }
  boot(threads);
  pthread_barrier_init(&start_line, NULL, threads + 1);
  for (int i = 0; i < threads; i++) {
    struct cpu *c = &cpus[i];
    c->first_slot = one_slot ? 0 : i * SLOTS_PER_THREAD;
    c->slots = one_slot ? 1 : SLOTS_PER_THREAD;
    c->first_index = shared ? i * (PTRS / threads) : 0;
    c->end_index = shared ? c->first_index + PTRS / threads : PTRS;
    c->seq_cst = seq_cst;
    if (pthread_create(&c->thread, NULL, cpu_main, c) != 0) return 1;
  }
  pthread_barrier_wait(&start_line);
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
  atomic_store(&stop, 1);
  uint64_t pages = 0;
  double start_ns = INFINITY, end_ns = 0;
  for (int i = 0; i < threads; i++) {
    pthread_join(cpus[i].thread, NULL);
    pages += cpus[i].faulted;
    if (cpus[i].start_ns < start_ns) start_ns = cpus[i].start_ns;
    if (cpus[i].end_ns > end_ns) end_ns = cpus[i].end_ns;
  }
  printf("{\"nsPerPageWall\":%.3f,\"pages\":%llu,\"threads\":%d,",
         pages ? (end_ns - start_ns) / pages : 0.0, (unsigned long long)pages, threads);
  printf("\"mode\":\"%s\",\"order\":\"%s\"}\n", argv[1], argv[3]);
  return 0;
}
