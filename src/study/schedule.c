/* Who trains what: rank 0 hands out runs, longest predicted first, and trains too.

     worker -> 0   REPORT: ask (give me a run), done (run, status), beat (share of a run),
                   signaled (somebody wants this rank to stop)
     0 -> worker   ANSWER: a run, or NONE;  WORD: give up what you are doing, or: I am alive

   A worker asks for its next run one epoch before it finishes, so that the answer is there in
   time.  Rank 0 answers between epochs and between layers of a look; when its own work is over it
   serves with short sleeps until every rank has been told NONE, and all meet in a barrier that
   sleeps too.  A claim carries no truth: what is done is what the sink has taken.  Two-sided
   messages only: with Debian's settings every one-sided window aborts over TCP. */

#include "schedule.h"
#include "stage.h"
#include <stdio.h>
#include <time.h>

static const double guess_seconds = 1e-8; /* of an elementary operation: a slow machine's */

void schedule_doze(void)
{
  nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
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
PetscErrorCode schedule_do_run(rank_state *self, ip_pause pause, void *context, report *done)
{
  const ip_company company = {pause, context, self->sweep->keeper};
  bool stopped = false;

  self->share = 0.0;
  *done = (report){.kind = DONE, .run = self->run, .status = IP_STATUS_PENDING};

  const PetscErrorCode code =
      ip_run_train(self->plan, (size_t)self->run, &company, self->record, &stopped);

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

static PetscErrorCode conduct(rank_state *self, master *m, worker *w, bool *stopped)
{
  bool left_over = false;

  PetscCall(m ? master_work(m, &left_over) : worker_work(w));
  PetscCall(quiet_barrier(self, w));
  PetscCallMPI(MPI_Bcast(&left_over, 1, MPI_C_BOOL, 0, self->comm));
  *stopped = left_over;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_study_run(MPI_Comm comm, const ip_sweep *sweep, bool *stopped)
{
  rank_state self = {
      .comm = comm, .plan = sweep->plan, .sweep = sweep, .run = NONE, .speed = guess_seconds};
  master *m = NULL;
  worker *w = NULL;

  PetscCallMPI(MPI_Comm_rank(comm, &self.rank));
  PetscCallMPI(MPI_Comm_size(comm, &self.size));
  PetscCall(stage_register());
  self.limit = silence_limit(self.plan, sweep->stall, self.speed);

  PetscErrorCode code = ip_record_create(sweep->plan, &self.record);

  if (!code) code = self.rank == 0 ? master_create(&self, &m) : worker_create(&self, &w);
  if (!code) code = conduct(&self, m, w, stopped);
  master_destroy(&m);
  worker_destroy(&w);
  ip_record_destroy(&self.record);
  return code;
}
