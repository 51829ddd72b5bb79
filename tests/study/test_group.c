/* Several ranks per run: records have the bits of one alone, for any number of ranks and any size
   of the groups, also after a stop; whoever fails says so and the others go on. */

#include "study.h"

#include <petscsys.h>

enum { MOST_RUNS = 8, GROUPS = 5 };

static int rank, size;
static const size_t ranks_per_run[GROUPS] = {1, 2, 3, 4, 9};

/* What each run must be, and which were seen. */
typedef struct {
  ip_record *want[MOST_RUNS];
  int seen[MOST_RUNS];
} expected;

static expected expect_of(const study *s)
{
  expected e = {{NULL}, {0}};
  bool stopped;

  assert_true(s->plan->n_runs <= MOST_RUNS);
  for (size_t r = 0; r < s->plan->n_runs; r++) {
    OK(ip_record_create(s->plan, &e.want[r]));
    OK(ip_run_train(s->plan, r, NULL, e.want[r], &stopped));
  }
  return e;
}

static void diverges(const study *s)
{
  ip_record *record = NULL;
  bool stopped;

  OK(ip_record_create(s->plan, &record));
  OK(ip_run_train(s->plan, 0, NULL, record, &stopped));
  assert_int_equal(record->status, IP_STATUS_DIVERGED);
  ip_record_destroy(&record);
}

static void forget(expected *e)
{
  for (size_t r = 0; r < MOST_RUNS; r++) ip_record_destroy(&e->want[r]);
}

static PetscErrorCode compare(void *context, const ip_record *record)
{
  expected *e = context;
  const ip_record *want = e->want[record->run];

  e->seen[record->run]++;
  IP_CHECK(record->status == want->status, IP_ERR_INTERNAL, "run %zu: status %d", record->run,
           (int)record->status);
  for (size_t f = 0; f < IP_FIELDS; f++) {
    const size_t bytes =
        ip_field_length(record->plan, f) * ip_number_size(ip_field_row(f)->type);

    IP_CHECK(bytes == 0 || memcmp(record->array[f], want->array[f], bytes) == 0,
             IP_ERR_INTERNAL, "run %zu: other bits of %s", record->run, ip_field_row(f)->name);
  }
  return PETSC_SUCCESS;
}

static const int32_t all_runs[MOST_RUNS] = {0, 1, 2, 3, 4, 5, 6, 7};

static ip_sweep sweep_of(const study *s, int8_t *status, ip_sink sink, void *context)
{
  return (ip_sweep){.plan = s->plan,
                    .n = s->plan->n_runs,
                    .todo = all_runs,
                    .status = status,
                    .sink = sink,
                    .sink_context = context};
}

static void check_busy(const ip_busy busy[2], size_t each)
{
  const size_t leaders = (size_t)ip_study_leaders(size, each);

  assert_int_equal(busy[0].ranks, leaders);
  assert_int_equal(busy[1].ranks, (size_t)size - leaders);
  for (int i = 0; i < 2; i++)
    assert_true(0 <= busy[i].least && busy[i].least <= busy[i].mean &&
                busy[i].mean <= busy[i].most && busy[i].most <= 1);
  if (busy[1].ranks > 0) assert_true(busy[1].most > 0); /* somebody did assist */
}

static void same_for_groups(study s)
{
  expected e = expect_of(&s);

  for (int g = 0; g < GROUPS; g++) {
    int8_t status[MOST_RUNS] = {0};
    int seen[MOST_RUNS];
    ip_busy busy[2];
    bool stopped = true;
    ip_sweep sweep = sweep_of(&s, status, compare, &e);

    memset(e.seen, 0, sizeof e.seen);
    sweep.ranks_per_run = ranks_per_run[g];
    sweep.busy = busy;
    OK(ip_study_run(MPI_COMM_WORLD, &sweep, &stopped));
    assert_false(stopped);
    check_busy(busy, ranks_per_run[g]);
    MPI_Allreduce(e.seen, seen, MOST_RUNS, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    for (size_t r = 0; r < MOST_RUNS; r++) assert_int_equal(seen[r], r < s.plan->n_runs);
    if (rank % (int)ranks_per_run[g] > 0) /* who assists has no runs */
      for (size_t r = 0; r < MOST_RUNS; r++) assert_int_equal(e.seen[r], 0);
  }
  forget(&e);
  study_clear(&s);
}

static void same_for_all_groups(const char *yaml)
{
  same_for_groups(study_of(yaml));
}

static void all_kinds_of_columns(void **state)
{
  (void)state;
  same_for_all_groups("network: {hidden: [5, 3]}\ntrain: {epochs: 4, learning_rate: 0.01}\n"
                      "look: [0, 1, 3]\nrepeat: 3\nestimate:\n"
                      "  - {kind: binning, bins: [8, 30], on: [full, test]}\n"
                      "  - {kind: kde, noise_variance: [1e-3, 0.1], on: [full, train]}\n"
                      "  - {kind: kde, noise_variance: 0.05, noise_scale: layer, on: test}\n");
}

static void labels_by_chance(void **state)
{
  (void)state;
  same_for_all_groups("dataset: {labels: stochastic}\nnetwork: {hidden: [4]}\n"
                      "train: {epochs: 2}\nlook: [0]\nrepeat: 2\nestimate:\n"
                      "  - {kind: binning, bins: 30}\n  - {kind: kde, noise_variance: 0.1}\n");
}

static void two_passes(void **state)
{
  (void)state;
  same_for_all_groups("network: {hidden: [4, 3], activation: [tanh, relu]}\n"
                      "train: {epochs: 3}\nlook: [0, 1]\nsave: {weights: looked}\nestimate:\n"
                      "  - {kind: binning, bins: 30, range: [snapshot, run]}\n"
                      "  - {kind: kde, noise_variance: 0.1, bound: upper}\n");
}

/* Between two looks. */
static void a_run_that_diverges(void **state)
{
  const char *yaml = "network: {hidden: [8, 8], activation: relu}\n"
                     "train: {epochs: 40, optimizer: sgd, learning_rate: 1e6}\n"
                     "look: [0, 1, 2, 3, 4, 5, 6]\nrepeat: 2\n"
                     "estimate: [{kind: kde, noise_variance: 0.1}]\n";
  study s = study_of(yaml);

  (void)state;
  diverges(&s);
  same_for_groups(s);
}

/* The look itself shows that there is nothing to see: it has been handed over by then. */
static void a_look_at_nothing(void **state)
{
  study s = study_of("network: {hidden: [8], activation: relu}\ntrain: {epochs: 2}\n"
                     "look: [0, 1]\nrepeat: 2\n"
                     "estimate: [{kind: kde, noise_variance: 0.1}]\n");
  float *x = s.data->set[0]->x;

  (void)state;
  for (size_t i = 0; i < s.data->set[0]->n * s.data->set[0]->d; i++) x[i] *= 3e38F;
  diverges(&s);
  same_for_groups(s);
}

/* ---- stop ------------------------------------------------------------------------------------- */

static PetscErrorCode stop_soon(void *context, const ip_progress *progress, bool *stop)
{
  (void)progress;
  *stop = ++*(int *)context > 3;
  return PETSC_SUCCESS;
}

/* In the middle of looks that take their time, on all ranks. */
static void a_stop_in_a_look(void **state)
{
  study s = study_of("network: {hidden: [60, 60]}\ntrain: {epochs: 2000000}\nrepeat: 4\n"
                     "look: log\nestimate: [{kind: kde, noise_variance: [1e-3, 1e-2, 0.1]}]\n");

  (void)state;
  for (int g = 0; g < GROUPS; g++) {
    expected e = {{NULL}, {0}};
    int8_t status[MOST_RUNS] = {0};
    bool stopped = false;
    int watched = 0;
    ip_sweep sweep = sweep_of(&s, status, compare, &e);

    sweep.ranks_per_run = ranks_per_run[g];
    sweep.watch = stop_soon;
    sweep.watch_context = &watched;
    OK(ip_study_run(MPI_COMM_WORLD, &sweep, &stopped));
    assert_true(stopped);
    for (int r = 0; r < MOST_RUNS; r++) assert_int_equal(e.seen[r], 0);
  }
  study_clear(&s);
}

static int last_rank_is_signaled(void)
{
  return rank == size - 1 ? 15 : 0;
}

static PetscErrorCode stop_at_signal(void *context, const ip_progress *progress, bool *stop)
{
  if (progress->signal) *(int *)context = progress->signal;
  *stop = progress->signal != 0;
  return PETSC_SUCCESS;
}

/* A signal to an assistant stops all. */
static void an_assistant_is_signaled(void **state)
{
  (void)state;
  if (size == 1) skip(); /* rank 0 knows its own */

  study s = study_of("train: {epochs: 2000000}\nrepeat: 4\nlook: [0]\n"
                     "estimate: [{kind: kde, noise_variance: 0.1}]\n");
  int8_t status[MOST_RUNS] = {0};
  expected e = {{NULL}, {0}};
  int signal = 0;
  bool stopped = false;
  ip_sweep sweep = sweep_of(&s, status, compare, &e);

  sweep.ranks_per_run = 2;
  sweep.watch = stop_at_signal;
  sweep.watch_context = &signal;
  sweep.signaled = last_rank_is_signaled;
  OK(ip_study_run(MPI_COMM_WORLD, &sweep, &stopped));
  assert_true(stopped);
  if (rank == 0) assert_int_equal(signal, 15);
  study_clear(&s);
}

/* ---- errors ----------------------------------------------------------------------------------- */

typedef struct {
  int8_t status[MOST_RUNS];
  char notice[240];
} heard;

static PetscErrorCode take_status(void *context, const ip_record *record)
{
  ((heard *)context)->status[record->run] = (int8_t)record->status;
  return PETSC_SUCCESS;
}

static PetscErrorCode hear(void *context, const ip_progress *progress, bool *stop)
{
  heard *h = context;

  if (progress->notice) snprintf(h->notice, sizeof h->notice, "%s", progress->notice);
  *stop = false;
  return PETSC_SUCCESS;
}

/* One assistant takes run 1 for a network of another shape: the run fails and says who it was; the
   others are done. */
static void an_assistant_fails(void **state)
{
  (void)state;
  if (size == 1) skip();

  study s = study_of("network: {hidden: [[3], [4]]}\ntrain: {epochs: 2}\nlook: [0, 1]\n"
                     "repeat: 2\nestimate: [{kind: kde, noise_variance: 0.1}]\n");
  int8_t status[MOST_RUNS] = {0};
  heard h = {{0}, ""};
  bool stopped = true;
  ip_sweep sweep = sweep_of(&s, status, take_status, &h);

  if (rank == 1) s.plan->run[1].architecture = 1 - s.plan->run[1].architecture;
  sweep.ranks_per_run = (size_t)size;
  sweep.watch = hear;
  sweep.watch_context = &h;
  OK(ip_study_run(MPI_COMM_WORLD, &sweep, &stopped));
  assert_false(stopped);
  for (size_t r = 0; r < s.plan->n_runs && rank == 0; r++)
    assert_int_equal(h.status[r], r == 1 ? IP_STATUS_FAILED : IP_STATUS_DONE);
  if (rank == 0) assert_non_null(strstr(h.notice, "rank 1 on host "));
  if (rank == 0) assert_non_null(strstr(h.notice, "weights of a network that has"));
  study_clear(&s);
}

static void leaders_are_counted(void **state)
{
  (void)state;
  for (int ranks = 1; ranks < 20; ranks++)
    for (size_t each = 0; each < 30; each++) {
      int leaders = 0;

      for (int r = 0; r < ranks; r++) leaders += each < 2 || r % (int)each == 0;
      assert_int_equal(ip_study_leaders(ranks, each), leaders);
    }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_kinds_of_columns),
      cmocka_unit_test(labels_by_chance),
      cmocka_unit_test(two_passes),
      cmocka_unit_test(a_run_that_diverges),
      cmocka_unit_test(a_look_at_nothing),
      cmocka_unit_test(a_stop_in_a_look),
      cmocka_unit_test(an_assistant_is_signaled),
      cmocka_unit_test(an_assistant_fails),
      cmocka_unit_test(leaders_are_counted),
  };

  PetscInitialize(&argc, &argv, NULL, NULL);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);

  const int failed = RUN_TESTS(tests);
  int all = 0;

  MPI_Allreduce(&failed, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  PetscFinalize();
  return all > 0;
}
