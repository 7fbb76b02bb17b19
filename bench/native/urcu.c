/*
 * liburcu, in the flavour that the compiler is told of: FLAVOUR is memb, qsbr or mb. Its read side
 * is inlined, as in programs under its licence's terms for that.
 */
#define _GNU_SOURCE
#define _LGPL_SOURCE
#define CONCAT_INNER(a, b) a##b
#define CONCAT(a, b) CONCAT_INNER(a, b)

#if defined(FLAVOUR_MEMB)
#include <urcu/urcu-memb.h>
#define URCU(name) CONCAT(urcu_memb_, name)
#elif defined(FLAVOUR_QSBR)
#include <urcu/urcu-qsbr.h>
#define URCU(name) CONCAT(urcu_qsbr_, name)
#else
#include <urcu/urcu-mb.h>
#define URCU(name) CONCAT(urcu_mb_, name)
#endif

struct peer {
  int unused;
};

static void peer_initialize(void) {}

static void peer_online(struct peer *p) {
  (void)p;
  URCU(register_thread)();
}

static void peer_offline(struct peer *p) {
  (void)p;
  URCU(unregister_thread)();
}

static inline void peer_enter(struct peer *p) {
  (void)p;
  URCU(read_lock)();
}

static inline void peer_leave(struct peer *p) {
  (void)p;
  URCU(read_unlock)();
}

static inline void peer_quiescent(struct peer *p) {
  (void)p;
#if defined(FLAVOUR_QSBR)
  URCU(quiescent_state)();
#endif
}

/* The writer is not registered, and so not waited for. */
static void peer_synchronize(struct peer *p) {
  (void)p;
  URCU(synchronize_rcu)();
}

#include "rcu-peer.h"
