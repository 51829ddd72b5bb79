/* Handing out runs: on any number of ranks each run is done once, longest first, and a stop is
   heard by all. */

#include "study.h"

#include <petscsys.h>

enum { RUNS = 12 };

static int rank, size;

/* What this rank's sink saw. */
typedef struct {
  int seen[RUNS];
  int order[RUNS], n;
} sink_log;

static PetscErrorCode take(void *context, const ip_record *record)
{
  sink_log *log = context;

  log->seen[record->run]++;
  log->order[log->n++] = (int)record->run;
  return PETSC_SUCCESS;
}

static const char yaml[] = "network: {hidden: [3]}\n"
                           "train: {fraction: [5%, 45%, 85%], epochs: 4}\n"
                           "look: [0]\nrepeat: 4\n"
                           "estimate: [{kind: binning, bins: 30}]\n";

static void every_run_once(void **state)
{
  study s = study_of(yaml);
  sink_log log = {{0}, {0}, 0};
  int seen[RUNS];
  int32_t todo[RUNS];
  int8_t status[RUNS] = {0};
  bool stopped = true;

  (void)state;
  for (int i = 0; i < RUNS; i++) todo[i] = i;
  OK(ip_study_run(MPI_COMM_WORLD,
                  &(ip_sweep){.plan = s.plan,
                              .n = RUNS,
                              .todo = todo,
                              .status = status,
                              .sink = take,
                              .sink_context = &log},
                  &stopped));
  assert_false(stopped);
  MPI_Allreduce(log.seen, seen, RUNS, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  for (int i = 0; i < RUNS; i++) {
    assert_int_equal(seen[i], 1);
    if (rank == 0) assert_int_equal(status[i], IP_STATUS_DONE);
  }
  for (int i = 1; i < log.n; i++) /* 85 % before 45 % before 5 % on every rank */
    assert_true(s.plan->run[log.order[i - 1]].cost >= s.plan->run[log.order[i]].cost);
  study_clear(&s);
}

static void only_what_is_listed(void **state)
{
  study s = study_of(yaml);
  sink_log log = {{0}, {0}, 0};
  int seen[RUNS];
  const int32_t todo[2] = {3, 7};
  int8_t status[RUNS];
  bool stopped = true;

  (void)state;
  memset(status, IP_STATUS_DONE, sizeof status);
  OK(ip_study_run(MPI_COMM_WORLD,
                  &(ip_sweep){.plan = s.plan,
                              .n = 2,
                              .todo = todo,
                              .status = status,
                              .sink = take,
                              .sink_context = &log},
                  &stopped));
  MPI_Allreduce(log.seen, seen, RUNS, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  for (int i = 0; i < RUNS; i++) assert_int_equal(seen[i], i == 3 || i == 7);
  study_clear(&s);
}

static void nothing_to_do(void **state)
{
  study s = study_of(yaml);
  int8_t status[RUNS] = {0};
  bool stopped = true;

  (void)state;
  OK(ip_study_run(MPI_COMM_WORLD, &(ip_sweep){.plan = s.plan, .status = status, .sink = take},
                  &stopped));
  assert_false(stopped);
  study_clear(&s);
}

static PetscErrorCode stop_at_once(void *context, const ip_progress *progress, bool *stop)
{
  (void)context, (void)progress;
  *stop = true;
  return PETSC_SUCCESS;
}

static void a_stop_reaches_all(void **state)
{
  /* Long enough that no rank could finish all of it. */
  study s = study_of("train: {epochs: 2000000}\nrepeat: 12\nlook: [0]\n"
                     "estimate: [{kind: binning, bins: 30}]\n");
  sink_log log = {{0}, {0}, 0};
  int32_t todo[RUNS];
  int8_t status[RUNS] = {0};
  bool stopped = false;

  (void)state;
  for (int i = 0; i < RUNS; i++) todo[i] = i;
  OK(ip_study_run(MPI_COMM_WORLD,
                  &(ip_sweep){.plan = s.plan,
                              .n = RUNS,
                              .todo = todo,
                              .status = status,
                              .sink = take,
                              .sink_context = &log,
                              .watch = stop_at_once},
                  &stopped));
  assert_true(stopped);
  assert_int_equal(log.n, 0);
  study_clear(&s);
}

typedef struct {
  int8_t status[RUNS];
  int notices;
  ip_progress last;
} status_log;

static PetscErrorCode take_status(void *context, const ip_record *record)
{
  ((status_log *)context)->status[record->run] = (int8_t)record->status;
  return PETSC_SUCCESS;
}

static PetscErrorCode hear(void *context, const ip_progress *progress, bool *stop)
{
  status_log *log = context;

  log->last = *progress;
  log->notices += progress->notice != NULL;
  *stop = false;
  return PETSC_SUCCESS;
}

static PetscErrorCode stop_at_signal(void *context, const ip_progress *progress, bool *stop)
{
  PetscCall(hear(context, progress, stop));
  *stop = progress->signal != 0;
  return PETSC_SUCCESS;
}

/* Two runs are given batches of no patterns: those fail, and the sweep goes on. */
static void a_run_that_fails_is_recorded(void **state)
{
  study s = study_of(yaml);
  status_log log = {.notices = 0};
  int32_t todo[RUNS];
  int8_t status[RUNS] = {0}, seen[RUNS];
  bool stopped = true;

  (void)state;
  for (int i = 0; i < RUNS; i++) todo[i] = i;
  s.plan->run[2].batch = 0;
  s.plan->run[5].batch = 0;
  OK(ip_study_run(MPI_COMM_WORLD,
                  &(ip_sweep){.plan = s.plan,
                              .n = RUNS,
                              .todo = todo,
                              .status = status,
                              .sink = take_status,
                              .sink_context = &log,
                              .watch = hear,
                              .watch_context = &log},
                  &stopped));
  assert_false(stopped);
  MPI_Allreduce(log.status, seen, RUNS, MPI_INT8_T, MPI_MAX, MPI_COMM_WORLD);
  for (int i = 0; i < RUNS; i++) {
    assert_int_equal(seen[i], i == 2 || i == 5 ? IP_STATUS_FAILED : IP_STATUS_DONE);
    if (rank == 0) assert_int_equal(status[i], seen[i]);
  }
  if (rank == 0) {
    assert_int_equal(log.notices, 2);
    assert_int_equal(log.last.failed, 2);
    assert_int_equal(log.last.done, RUNS);
  }
  study_clear(&s);
}

/* What the watch saw at each notice. */
typedef struct {
  double work[RUNS], done[RUNS];
  int n;
} work_log;

static PetscErrorCode hear_work(void *context, const ip_progress *progress, bool *stop)
{
  work_log *log = context;

  if (progress->notice) {
    log->work[log->n] = progress->work;
    log->done[log->n++] = progress->work_done;
  }
  *stop = false;
  return PETSC_SUCCESS;
}

static PetscErrorCode keep_nothing(void *context, const ip_checkpoint *checkpoint)
{
  (void)context, (void)checkpoint;
  return PETSC_SUCCESS;
}

static PetscErrorCode find_nothing(void *context, const ip_checkpoint *checkpoint, bool *found)
{
  (void)context, (void)checkpoint;
  *found = false;
  return PETSC_SUCCESS;
}

static double half_of_run_1(void *context, size_t run)
{
  (void)context;
  return run == 1 ? 0.5 : 0.0;
}

/* Runs of 1, 2 and 5 s, each over at once, as it fails; of the second one half is done before, so
   that it comes first: 1 + 1 + 5 s in all, of which 1, 1 + 5 and all are done. */
static void work_is_weighed_by_predicted_seconds(void **state)
{
  static const double predicted[RUNS] = {1.0, 2.0, 5.0}, done[] = {1.0, 6.0, 7.0};
  const int32_t todo[] = {0, 1, 2};
  const ip_keeper keeper = {
      .seconds = 1e9, .save = keep_nothing, .load = find_nothing, .share = half_of_run_1};
  study s = study_of(yaml);
  int8_t status[RUNS] = {0};
  work_log log = {.n = 0};
  status_log taken;
  bool stopped;

  (void)state;
  if (rank == 0) {
    for (int r = 0; r < 3; r++) s.plan->run[r].batch = 0;
    OK(ip_study_run(MPI_COMM_SELF,
                    &(ip_sweep){.plan = s.plan,
                                .n = 3,
                                .todo = todo,
                                .status = status,
                                .sink = take_status,
                                .sink_context = &taken,
                                .watch = hear_work,
                                .watch_context = &log,
                                .keeper = &keeper,
                                .predicted = predicted},
                    &stopped));
    assert_int_equal(log.n, 3);
    for (int i = 0; i < 3; i++) {
      NEAR(log.work[i], 7.0, 1e-12, "all, at notice %d", i);
      NEAR(log.done[i], done[i], 1e-12, "done, at notice %d", i);
    }
  }
  study_clear(&s);
}

static PetscErrorCode fail_to_watch(void *context, const ip_progress *progress, bool *stop)
{
  (void)context, (void)progress;
  IP_CHECK(false, IP_ERR_LOCKED, "the lock is gone");
  *stop = false;
  return PETSC_SUCCESS;
}

/* What goes wrong while a run pauses is no fault of the run. */
static void an_error_of_the_watch_ends_the_study(void **state)
{
  study s = study_of(yaml);
  sink_log log = {{0}, {0}, 0};
  const int32_t todo[1] = {0};
  int8_t status[RUNS] = {0};
  bool stopped;

  (void)state;
  if (rank == 0)
    FAILS(ip_study_run(MPI_COMM_SELF,
                       &(ip_sweep){.plan = s.plan,
                                   .n = 1,
                                   .todo = todo,
                                   .status = status,
                                   .sink = take,
                                   .sink_context = &log,
                                   .watch = fail_to_watch},
                       &stopped),
          IP_ERR_LOCKED, "the lock is gone");
  assert_int_equal(log.n, 0);
  study_clear(&s);
}

static int last_rank_is_signaled(void)
{
  return rank == size - 1 ? 15 : 0;
}

/* A signal to one rank stops all. */
static void a_signal_reaches_rank_0(void **state)
{
  (void)state;
  if (size == 1) skip(); /* rank 0 knows its own */

  study s = study_of("train: {epochs: 2000000}\nrepeat: 12\nlook: [0]\n"
                     "estimate: [{kind: binning, bins: 30}]\n");
  status_log log = {.notices = 0};
  int32_t todo[RUNS];
  int8_t status[RUNS] = {0};
  bool stopped = false;

  for (int i = 0; i < RUNS; i++) todo[i] = i;
  OK(ip_study_run(MPI_COMM_WORLD,
                  &(ip_sweep){.plan = s.plan,
                              .n = RUNS,
                              .todo = todo,
                              .status = status,
                              .sink = take_status,
                              .sink_context = &log,
                              .watch = stop_at_signal,
                              .watch_context = &log,
                              .signaled = last_rank_is_signaled},
                  &stopped));
  assert_true(stopped);
  if (rank == 0) {
    assert_int_equal(log.last.signal, 15);
    assert_int_equal(log.last.given_up, size);
  }
  study_clear(&s);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_run_once),
      cmocka_unit_test(only_what_is_listed),
      cmocka_unit_test(nothing_to_do),
      cmocka_unit_test(a_stop_reaches_all),
      cmocka_unit_test(a_run_that_fails_is_recorded),
      cmocka_unit_test(work_is_weighed_by_predicted_seconds),
      cmocka_unit_test(an_error_of_the_watch_ends_the_study),
      cmocka_unit_test(a_signal_reaches_rank_0),
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
