/* A run that is stopped and taken up gives the same bytes as one never stopped: for every
   optimizer, at every pause there is, once and again and again. */

#include "study.h"
#include <stdlib.h>

/* A keeper in memory, of one run. */
typedef struct {
  char *bytes;
  size_t n;
  double share;
  int saved, loaded;
  bool spoil; /* the next load finds bytes that do not fit */
} memory;

static PetscErrorCode keep(void *context, const ip_checkpoint *c)
{
  memory *m = context;

  m->n = 0;
  for (size_t i = 0; i < c->n; i++) m->n += c->piece[i].bytes;
  free(m->bytes);
  m->bytes = malloc(m->n + 1);
  for (size_t i = 0, at = 0; i < c->n; at += c->piece[i++].bytes)
    if (c->piece[i].bytes) memcpy(m->bytes + at, c->piece[i].at, c->piece[i].bytes);
  m->share = c->share;
  m->saved++;
  return PETSC_SUCCESS;
}

static PetscErrorCode bring(void *context, const ip_checkpoint *c, bool *found)
{
  memory *m = context;
  size_t at = 0;

  for (size_t i = 0; i < c->n; at += c->piece[i++].bytes)
    if (c->piece[i].bytes)
      memset(c->piece[i].at, 0x5a, c->piece[i].bytes),
          memcpy(c->piece[i].at, m->bytes + at, m->spoil ? 1 : c->piece[i].bytes);
  assert_true(at == m->n);
  m->loaded++;
  *found = !m->spoil;
  m->spoil = false;
  return PETSC_SUCCESS;
}

static double share(void *context, size_t run)
{
  (void)run;
  return ((memory *)context)->share;
}

/* Stops at pause number `at`, counted from 1. */
typedef struct {
  int at, seen;
} stopper;

static PetscErrorCode stop_there(void *context, double progress, bool *stop)
{
  stopper *s = context;

  assert_true(progress >= 0.0 && progress <= 1.0 + 1e-12);
  *stop = ++s->seen == s->at;
  return PETSC_SUCCESS;
}

static ip_record *calm(const study *s, int *pauses)
{
  stopper never = {0, 0};
  ip_record *record = NULL;
  bool stopped = true;

  OK(ip_record_create(s->plan, &record));
  OK(ip_run_train(s->plan, 0, &(ip_company){.pause = stop_there, .context = &never}, record,
                  &stopped));
  assert_false(stopped);
  *pauses = never.seen;
  return record;
}

static void same(const char *what, int at, const ip_record *a, const ip_record *b)
{
  if (a->status != b->status) fail_msg("%s, pause %d: status", what, at);
  for (size_t f = 0; f < IP_FIELDS; f++) {
    const size_t bytes = ip_field_length(a->plan, f) * ip_number_size(ip_field_row(f)->type);

    if (bytes && memcmp(a->array[f], b->array[f], bytes) != 0)
      fail_msg("%s, stopped at pause %d: %s differs", what, at, ip_field_row(f)->name);
  }
}

/* Stop every `at` pauses until it is done; what the record held before must not matter. */
static ip_record *interrupted(const study *s, int at, memory *m)
{
  const ip_keeper keeper = {
      .context = m, .seconds = 1e9, .save = keep, .load = bring, .share = share};
  ip_record *record = NULL;
  bool stopped = true;

  for (int launch = 0; stopped; launch++) {
    stopper now = {at, 0};

    assert_true(launch < 1000);
    ip_record_destroy(&record);
    OK(ip_record_create(s->plan, &record));
    OK(ip_run_train(s->plan, 0,
                    &(ip_company){.pause = stop_there, .context = &now, .keeper = &keeper},
                    record, &stopped));
    assert_int_equal(m->loaded, launch);
    assert_int_equal(m->saved, launch + stopped);
  }
  return record;
}

static void interrupt(const char *what, const char *yaml)
{
  study s = study_of(yaml);
  int pauses = 0;
  ip_record *want = calm(&s, &pauses);

  assert_true(pauses > 10);
  for (int at = 1; at <= pauses; at++) {
    memory m = {0};

    if (at > 8 && at < pauses - 12 && at % 5 != 0) continue; /* both ends, a sample between */
    ip_record *record = interrupted(&s, at, &m);

    same(what, at, want, record);
    assert_true(m.n <= ip_checkpoint_bytes(s.plan));
    ip_record_destroy(&record);
    free(m.bytes);
  }
  ip_record_destroy(&want);
  study_clear(&s);
}

#define DATA "dataset: {samples: 256}\nnetwork: {hidden: [3]}\nlook: [1, 3, 4, 7]\n"

static void every_optimizer(void **state)
{
  char yaml[512];

  (void)state;
  for (size_t o = 0; ip_optimizer_name(o); o++) {
    snprintf(yaml, sizeof yaml,
             DATA "train: {epochs: 9, batch: 50, learning_rate: 0.02, optimizer: %s, "
                  "weight_decay: 1e-3}\n"
                  "estimate: [{kind: binning, bins: 30}]\nsave: {weights: looked}\n",
             ip_optimizer_name(o));
    interrupt(ip_optimizer_name(o), yaml);
  }
}

/* Both passes, with estimators on every part. */
static void ranges_of_the_run(void **state)
{
  (void)state;
  interrupt("range: run",
            DATA "train: {epochs: 8, fraction: 60%, batch: 64}\non: [full, train, test]\n"
                 "estimate: [{kind: binning, bins: 8, range: run}, {kind: binning, width: 0.1},"
                 " {kind: kde, noise_variance: 0.1, noise_scale: layer}]\n");
}

static void drawn_labels(void **state)
{
  (void)state;
  interrupt("stochastic",
            DATA "dataset.labels: stochastic\n"
                 "train: {epochs: 8, batch: full, optimizer: momentum, learning_rate: 0.5}\n"
                 "estimate: [{kind: binning, bins: 30}]\n");
}

/* It diverges late enough to be stopped before, and is looked at twice. */
static void diverging(void **state)
{
  const char yaml[] =
      "dataset: {samples: 256}\nnetwork: {hidden: [3], activation: linear}\n"
      "train: {epochs: 60, optimizer: momentum, learning_rate: 30, weight_decay: 0.4}\n"
      "look: [1, 2, 3, 4, 5, 6]\n"
      "estimate: [{kind: binning, bins: 8, range: run}, {kind: binning, bins: 8, range: [-1, "
      "1]}]\n";
  study s = study_of(yaml);
  int pauses = 0;
  ip_record *r = calm(&s, &pauses);

  (void)state;
  assert_int_equal(r->status, IP_STATUS_DIVERGED);
  assert_true(((const int32_t *)r->array[IP_FIELD_diverged_epoch])[0] > 5);
  ip_record_destroy(&r);
  study_clear(&s);
  interrupt("diverging", yaml);
}

/* What does not fit leaves no trace: the run begins anew. */
static void a_spoilt_checkpoint(void **state)
{
  study s = study_of(DATA "train: {epochs: 9, batch: 50}\n"
                          "estimate: [{kind: binning, bins: 30, range: run}]\n");
  memory m = {0};
  const ip_keeper keeper = {
      .context = &m, .seconds = 1e9, .save = keep, .load = bring, .share = share};
  stopper half = {9, 0}, never = {0, 0};
  ip_record *record = NULL, *want;
  bool stopped = false;
  int pauses = 0;

  (void)state;
  want = calm(&s, &pauses);
  OK(ip_record_create(s.plan, &record));
  OK(ip_run_train(s.plan, 0,
                  &(ip_company){.pause = stop_there, .context = &half, .keeper = &keeper},
                  record, &stopped));
  assert_true(stopped);
  m.spoil = true;
  OK(ip_run_train(s.plan, 0,
                  &(ip_company){.pause = stop_there, .context = &never, .keeper = &keeper},
                  record, &stopped));
  assert_false(stopped);
  assert_int_equal(m.loaded, 1);
  assert_int_equal(never.seen, pauses);
  same("spoilt", 9, want, record);
  ip_record_destroy(&record);
  ip_record_destroy(&want);
  free(m.bytes);
  study_clear(&s);
}

/* Every `seconds` of work, which is at every pause for 0 seconds; the end keeps nothing. */
static void from_time_to_time(void **state)
{
  study s = study_of(DATA "train: {epochs: 9}\nestimate: [{kind: binning, bins: 30}]\n");
  memory m = {0};
  ip_keeper keeper = {.context = &m, .seconds = 0, .save = keep, .load = bring, .share = share};
  stopper never = {0, 0};
  ip_record *record = NULL;
  bool stopped = true;

  (void)state;
  OK(ip_record_create(s.plan, &record));
  OK(ip_run_train(s.plan, 0,
                  &(ip_company){.pause = stop_there, .context = &never, .keeper = &keeper},
                  record, &stopped));
  assert_int_equal(m.saved, never.seen);
  assert_int_equal(m.loaded, 0);
  m.share = 0.0;
  keeper.seconds = 1e9;
  OK(ip_run_train(s.plan, 0,
                  &(ip_company){.pause = stop_there, .context = &never, .keeper = &keeper},
                  record, &stopped));
  assert_int_equal(2 * m.saved, never.seen);
  ip_record_destroy(&record);
  free(m.bytes);
  study_clear(&s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_optimizer),     cmocka_unit_test(ranges_of_the_run),
      cmocka_unit_test(drawn_labels),        cmocka_unit_test(diverging),
      cmocka_unit_test(a_spoilt_checkpoint), cmocka_unit_test(from_time_to_time),
  };

  return RUN_TESTS(tests);
}
