/* Concurrency Kit's epochs. */
#define _GNU_SOURCE
#include <ck_epoch.h>

struct peer {
  ck_epoch_record_t record;
  int registered;
};

static ck_epoch_t epoch;

static void peer_initialize(void) { ck_epoch_init(&epoch); }

static void peer_online(struct peer *p) {
  ck_epoch_register(&epoch, &p->record, NULL);
  p->registered = 1;
}

static void peer_offline(struct peer *p) {
  ck_epoch_unregister(&p->record);
  p->registered = 0;
}

static inline void peer_enter(struct peer *p) { ck_epoch_begin(&p->record, NULL); }

static inline void peer_leave(struct peer *p) { ck_epoch_end(&p->record, NULL); }

static inline void peer_quiescent(struct peer *p) { (void)p; }

/* Whoever waits needs a record, and has no section open. */
static void peer_synchronize(struct peer *p) {
  if (!p->registered) peer_online(p);
  ck_epoch_synchronize(&p->record);
}

#include "rcu-peer.h"
