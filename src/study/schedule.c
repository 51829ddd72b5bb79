/* Who trains what: rank 0 hands out runs, longest predicted first, and trains too.

     worker -> 0   REPORT: ask (give me a run), done (run, status), beat (share of a run),
                   signaled (somebody wants this rank to stop)
     0 -> worker   ANSWER: a run, or NONE;  WORD: give up what you are doing, or: I am alive

   A worker asks for its next run one epoch before it finishes, so that the answer is there in
   time.  Rank 0 answers between epochs and between layers of a look; when its own work is over it
   serves with short sleeps until every rank has been told NONE, and all meet in a barrier that
   sleeps too.  With several ranks per run all this is between the first ranks of the groups
   (schedule_group.c); the others only hear rank 0.  A claim carries no truth: what is done is what the sink has taken.  Two-sided
   messages only: with Debian's settings every one-sided window aborts over TCP. */

#include "schedule.h"
#include "stage.h"
#include "training.h"
#include <math.h>
#include <stdio.h>
#include <time.h>

static const double guess_seconds = 1e-8; /* of an elementary operation: a slow machine's */

void schedule_sleep(double seconds)
{
  nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * seconds)}, NULL);
}

void schedule_doze(void)
{
  schedule_sleep(2e-4);
}

/* ---- one run, on any rank -------------------------------------------------------------------- */

static PetscErrorCode hand_on(rank_state *self)
{
  PetscCall(stage_begin("store"));
  PetscCall(self->sweep->sink(self->sweep->sink_context, self->record));
  return stage_end();
}

/* What the last run took says how long a step may take. */
static void learn_speed(rank_state *self, double seconds)
{
  const double speed = seconds / self->plan->run[self->run].cost;

  if (speed > self->speed) self->speed = speed;
  self->limit = silence_limit(self->plan, self->sweep->stall, self->speed);
}

/* Not the run's own fault: its checkpoint cannot be written, or the lock was taken. */
static bool is_grave(PetscErrorCode code)
{
  return code == IP_ERR_IO || code == IP_ERR_LOCKED;
}

/* Train and hand on; a run that fails is recorded as failed and the sweep goes on. */
static PetscErrorCode do_run(rank_state *self, report *done)
{
  const ip_company company = {.pause = self->pause,
                              .context = self->pause_context,
                              .keeper = self->sweep->keeper,
                              .archive = self->sweep->archive,
                              .trained = self->sweep->trained,
                              .assistants = self->group ? group_assistants(self->group) : NULL};
  bool stopped = false;

  self->share = 0.0;
  *done = (report){.kind = DONE, .run = self->run, .status = IP_STATUS_PENDING};

  const size_t row = (size_t)self->run;
  const PetscErrorCode code =
      self->given ? given_look(self->given, row, &company, self->record, &stopped)
                  : ip_run_train(self->plan, row, &company, self->record, &stopped);

  PetscCall(self->broken);
  if (is_grave(code)) return code;
  done->progress = self->share;
  if (stopped) return PETSC_SUCCESS;
  if (code != PETSC_SUCCESS) {
    PetscCall(stage_unwind());
    snprintf(done->notice, sizeof done->notice, "%s", ip_error_message());
    ip_error_clear();
    ip_record_reset(self->record, (size_t)self->run);
    self->record->status = IP_STATUS_FAILED;
  }
  learn_speed(self, self->record->seconds);
  PetscCall(hand_on(self));
  done->status = (int32_t)self->record->status;
  return PETSC_SUCCESS;
}

PetscErrorCode schedule_do_run(rank_state *self, ip_pause pause, void *context, report *done)
{
  const double began = training_clock(), waited = self->group ? group_waited(self->group) : 0.0;

  self->pause = pause;
  self->pause_context = context;
  PetscCall(do_run(self, done));
  self->busy += training_clock() - began;
  if (self->group) self->busy -= group_waited(self->group) - waited;
  return PETSC_SUCCESS;
}

/* ---- activations that are given ---------------------------------------------------------------- */

/* The range over the run: every rank learns that of its share of the looks. */
static PetscErrorCode learn_range(rank_state *self)
{
  const int values = (int)self->plan->n_layers + 1;
  ip_piece piece[MEASUREMENT_PIECES];
  PetscErrorCode code = PETSC_SUCCESS;
  int mine, worst = 0;

  for (size_t e = (size_t)self->rank; e < self->plan->n_epochs && !code;
       e += (size_t)self->size)
    code = given_learn(self->given, e);
  mine = (int)code;
  PetscCallMPI(MPI_Allreduce(&mine, &worst, 1, MPI_INT, MPI_MAX, self->comm));
  PetscCall(code);
  IP_CHECK(!worst, (PetscErrorCode)worst, "another rank cannot read the activations");

  const size_t n = given_range(self->given, piece);

  for (size_t i = 0; i < n; i++) {
    const bool low = i % 2 == 0;
    double *v = piece[i].at;

    for (int l = 0; l < values; l++)
      if (isnan(v[l])) v[l] = low ? (double)INFINITY : -(double)INFINITY;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, v, values, MPI_DOUBLE, low ? MPI_MIN : MPI_MAX,
                               self->comm));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode begin_given(rank_state *self)
{
  if (!ip_plan_is_given(self->plan)) return PETSC_SUCCESS;
  PetscCall(given_create(self->plan, self->sweep->activations, &self->given));
  return given_has_range(self->given) ? learn_range(self) : PETSC_SUCCESS;
}

/* ---- how busy ranks were --------------------------------------------------------------------- */

/* Over the ranks that have a share; the same on all. */
static PetscErrorCode sum_up_busy(MPI_Comm comm, bool counts, double share, ip_busy *busy)
{
  double least = counts ? share : 2.0, most = counts ? share : -1.0;
  double sum[2] = {counts ? share : 0.0, counts ? 1.0 : 0.0};

  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_DOUBLE, MPI_MIN, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE, MPI_MAX, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_DOUBLE, MPI_SUM, comm));
  *busy = (ip_busy){.ranks = (size_t)sum[1]};
  if (busy->ranks > 0)
    *busy = (ip_busy){(size_t)sum[1], fmax(least, 0.0), sum[0] / sum[1], fmin(most, 1.0)};
  return PETSC_SUCCESS;
}

static PetscErrorCode tell_busy(const rank_state *self, bool leads, double began)
{
  const double wall = training_clock() - began, share = wall > 0.0 ? self->busy / wall : 0.0;

  if (!self->sweep->busy) return PETSC_SUCCESS;
  PetscCall(sum_up_busy(self->comm, leads, share, &self->sweep->busy[0]));
  return sum_up_busy(self->comm, !leads, share, &self->sweep->busy[1]);
}

/* ---- front door ------------------------------------------------------------------------------ */

/* The plain barrier burns the core; workers may wait here for hours, rank 0 comes last. */
static PetscErrorCode quiet_barrier(const rank_state *self, worker *w)
{
  MPI_Request request;
  silence absent = {0};
  int there = 0;

  PetscCallMPI(MPI_Ibarrier(self->comm, &request));
  for (;;) {
    PetscCallMPI(MPI_Test(&request, &there, MPI_STATUS_IGNORE));
    if (w) PetscCall(worker_hear(w));
    if (there) return PETSC_SUCCESS;
    IP_CHECK(w || !silence_too_long(&absent, self->limit), IP_ERR_ENVIRONMENT,
             "a rank has done its work and does not come to the end: it hangs, or its host was "
             "cut off. All runs are done; the same command verifies them");
    schedule_doze();
  }
}

static PetscErrorCode do_work(rank_state *self, master *m, worker *w, bool *left_over)
{
  if (m) {
    PetscCall(master_work(m, left_over));
  } else if (schedule_leads(self, self->rank)) {
    PetscCall(worker_work(w));
  } else {
    PetscCall(group_assist(self->group, w));
    return worker_fall_silent(w);
  }
  return self->group ? group_leave(self->group) : PETSC_SUCCESS;
}

static PetscErrorCode conduct(rank_state *self, master *m, worker *w, bool *stopped)
{
  const double began = training_clock();
  bool left_over = false;

  PetscCall(do_work(self, m, w, &left_over));
  PetscCall(quiet_barrier(self, w));
  PetscCallMPI(MPI_Bcast(&left_over, 1, MPI_C_BOOL, 0, self->comm));
  PetscCall(tell_busy(self, schedule_leads(self, self->rank), began));
  if (self->group) PetscCall(group_part(self->group));
  *stopped = left_over;
  return PETSC_SUCCESS;
}

/* Ranks of a group, at least one and at most all. */
static int group_size(int ranks, size_t ranks_per_run)
{
  if (ranks_per_run < 1) return 1;
  return ranks_per_run < (size_t)ranks ? (int)ranks_per_run : ranks;
}

int ip_study_leaders(int ranks, size_t ranks_per_run)
{
  const int each = group_size(ranks, ranks_per_run);

  return (ranks + each - 1) / each;
}

static PetscErrorCode begin(rank_state *self)
{
  self->each = group_size(self->size, self->sweep->ranks_per_run);
  IP_CHECK(self->each <= IP_CREW, IP_ERR_CONFIG, "ranks_per_run: %d, but at most %d",
           self->each, (int)IP_CREW);
  self->leaders = ip_study_leaders(self->size, self->sweep->ranks_per_run);
  PetscCall(stage_register());
  if (self->each > 1) PetscCall(group_create(self, &self->group));
  PetscCall(begin_given(self));
  return ip_record_create(self->plan, &self->record);
}

PetscErrorCode ip_study_run(MPI_Comm comm, const ip_sweep *sweep, bool *stopped)
{
  rank_state self = {
      .comm = comm, .plan = sweep->plan, .sweep = sweep, .run = NONE, .speed = guess_seconds};
  master *m = NULL;
  worker *w = NULL;

  PetscCallMPI(MPI_Comm_rank(comm, &self.rank));
  PetscCallMPI(MPI_Comm_size(comm, &self.size));
  self.limit = silence_limit(self.plan, sweep->stall, self.speed);

  PetscErrorCode code = begin(&self);

  if (!code) code = self.rank == 0 ? master_create(&self, &m) : worker_create(&self, &w);
  if (!code) code = conduct(&self, m, w, stopped);
  master_destroy(&m);
  worker_destroy(&w);
  group_destroy(&self.group);
  given_destroy(&self.given);
  ip_record_destroy(&self.record);
  return code;
}
