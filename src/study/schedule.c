/* Who trains what: rank 0 hands out runs, longest predicted first, and trains too.

     worker -> 0   REPORT: ask (give me a run), done (run, status), beat (share of a run),
                   signaled (somebody wants this rank to stop)
     0 -> worker   ANSWER: a run, or NONE;  WORD: give up what you are doing, or: I am alive

   A worker asks for its next run one epoch before it finishes, so that the answer is there in
   time.  Rank 0 answers between epochs and between layers of a look; when its own work is over it
   serves with short sleeps until every rank has been told NONE, and all meet in a barrier that
   sleeps too.  A claim carries no truth: what is done is what the sink has taken.  Two-sided
   messages only: with Debian's settings every one-sided window aborts over TCP. */

#include "silence.h"
#include "stage.h"
#include <infoplane/study.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPORT = 1, ANSWER, WORD };  /* tags                                               */
enum { ASK, DONE, BEAT, SIGNALED }; /* kinds of report                                    */
enum { STOP, ALIVE };               /* words                                              */
enum { NONE = -1 };                 /* answer: no run is left                             */
enum { HOST = 64 };
enum { TRAINING_RANK_0 = 64 }; /* up to so many ranks, rank 0 trains too             */
static const double watch_seconds = 0.1, beat_seconds = 2.0; /* 20 beats a second at most */
static const double guess_seconds = 1e-8; /* of an elementary operation: a slow machine's */

typedef struct {
  int32_t kind, run, status; /* of DONE a status, of SIGNALED the signal */
  double progress;           /* 0 .. 1 of the run; of DONE and pending: where it was given up */
  char notice[240];          /* of DONE why it failed, of ASK the host's name                 */
} report;

/* What every rank has. */
typedef struct {
  MPI_Comm comm;
  int rank, size;
  const ip_plan *plan;
  const ip_sweep *sweep;
  ip_record *record;
  int32_t run;           /* being trained here, NONE */
  double share;          /* of it that is done */
  PetscErrorCode broken; /* a pause failed: the study is at fault, not the run */
  bool stop;
  double speed, limit; /* seconds of an elementary operation; of silence that are too much */
} rank_state;

/* What rank 0 has beside it. */
typedef struct {
  rank_state *self;
  size_t n, next;     /* runs of this launch, how many are claimed   */
  int32_t *order;     /* shape (n): longest predicted first          */
  int8_t *status;     /* shape (plan->n_runs)                        */
  double *share;      /* shape (plan->n_runs): done in earlier launches            */
  double *part;       /* shape (size): predicted cost done of the run of each rank */
  int32_t *claim;     /* shape (size): run of each rank, NONE        */
  bool *dismissed;    /* shape (size): told NONE                     */
  int *held;          /* shape (size): runs handed to it and not yet reported */
  silence *silent;    /* shape (size)                                */
  char (*host)[HOST]; /* shape (size)                             */
  int left;           /* workers not dismissed                       */
  int open;           /* runs handed to workers and not yet reported */
  bool stop_sent;
  double watched, said; /* when it was shown how far it is, and said to be alive */
  ip_progress progress;
} master;

/* What a worker has beside it. */
typedef struct {
  rank_state *self;
  bool asked, told_signal;
  int32_t answer;
  MPI_Request request;
  report letter; /* on its way to rank 0 */
  MPI_Request sending;
  double beat;
  silence silent; /* of rank 0 */
} worker;

static void doze(void)
{
  nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* ---- one run, on any rank ----------------------------------------------------------------------- */

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
static PetscErrorCode do_run(rank_state *self, ip_pause pause, void *context, report *done)
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

/* ---- rank 0 ------------------------------------------------------------------------------------- */

static int32_t claim_next(master *m, int rank)
{
  const bool none = m->self->stop || m->next == m->n;

  m->claim[rank] = none ? NONE : m->order[m->next++];
  return m->claim[rank];
}

/* Predicted cost of this launch that a run has done, where it is at this progress. */
static double done_here(const master *m, int32_t run, double progress)
{
  return fmax(0.0, progress - m->share[run]) * m->self->plan->run[run].cost;
}

static void count_done(master *m, int rank, const report *r)
{
  m->part[rank] = 0.0;
  m->progress.given_up += (size_t)(r->status == IP_STATUS_PENDING && r->progress > 0.0);
  if (r->status == IP_STATUS_PENDING) return;
  m->status[r->run] = (int8_t)r->status;
  m->progress.work_done += done_here(m, r->run, 1.0);
  m->progress.done++;
  m->progress.diverged += (size_t)(r->status == IP_STATUS_DIVERGED);
  m->progress.failed += (size_t)(r->status == IP_STATUS_FAILED);
  if (r->notice[0]) {
    m->progress.notice_run = r->run;
    m->progress.notice = r->notice;
  }
}

/* Without waiting: a rank that hangs must not make others hang. What `number` points to stays. */
static PetscErrorCode post(const master *m, const int32_t *number, int to, int tag)
{
  MPI_Request request;

  PetscCallMPI(MPI_Isend(number, 1, MPI_INT32_T, to, tag, m->self->comm, &request));
  PetscCallMPI(MPI_Request_free(&request));
  return PETSC_SUCCESS;
}

static PetscErrorCode send_word(const master *m, int to, int32_t word)
{
  static const int32_t words[] = {[STOP] = STOP, [ALIVE] = ALIVE};

  return post(m, &words[word], to, WORD);
}

static PetscErrorCode answer(master *m, const report *r, int from)
{
  silence_end(&m->silent[from]);
  if (r->kind == SIGNALED) m->progress.signal = (int)r->status;
  if (r->kind == BEAT) m->part[from] = done_here(m, r->run, r->progress);
  if (r->kind == DONE) {
    count_done(m, from, r);
    m->held[from]--;
    m->open--;
  }
  if (r->kind != ASK) return PETSC_SUCCESS;
  if (r->notice[0]) snprintf(m->host[from], HOST, "%.*s", HOST - 1, r->notice);

  const int32_t run = claim_next(m, from);

  if (run == NONE) {
    m->dismissed[from] = true;
    m->left--;
  } else {
    m->held[from]++;
    m->open++;
  }
  return post(m, &m->claim[from], from, ANSWER);
}

/* Every rank that has a run gives signs of life. */
static PetscErrorCode judge(master *m)
{
  const double limit = m->self->limit;
  char words[32];

  for (int r = 1; r < m->self->size; r++) {
    if (m->held[r] == 0) silence_end(&m->silent[r]);
    if (!silence_too_long(&m->silent[r], limit)) continue;
    ip_seconds_format(limit, words);
    return ip_error_raise(IP_ERR_ENVIRONMENT, __func__,
                          "rank %d on host %s has made no progress for %s: it hangs, "
                          "or its host was cut off, so the job ends. What is done is safe; the "
                          "same command continues (a longer wait: stall=SECONDS)",
                          r, m->host[r], words);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode say_alive(master *m, double time)
{
  if (time - m->said < fmin(60.0, m->self->limit / 8.0)) return PETSC_SUCCESS;
  m->said = time;
  for (int r = 1; r < m->self->size; r++) PetscCall(send_word(m, r, ALIVE));
  return PETSC_SUCCESS;
}

/* Look after the others; show how far it is; hear whether to stop. */
static PetscErrorCode watch(master *m, bool now)
{
  const double time = MPI_Wtime();

  if (!now && time - m->watched < watch_seconds) return PETSC_SUCCESS;
  m->watched = time;
  PetscCall(judge(m));
  PetscCall(say_alive(m, time));
  if (!m->self->sweep->watch) return PETSC_SUCCESS;

  ip_progress seen = m->progress;
  bool stop = false;

  seen.running = m->open < m->self->size - 1 ? (size_t)m->open : (size_t)m->self->size - 1;
  seen.running += (size_t)(m->claim[0] != NONE); /* workers may have their next one already */
  for (int r = 0; r < m->self->size; r++) seen.work_done += m->part[r];
  PetscCall(m->self->sweep->watch(m->self->sweep->watch_context, &seen, &stop));
  m->progress.notice = NULL;
  if (stop) m->self->stop = true;
  return PETSC_SUCCESS;
}

static PetscErrorCode send_stop(master *m)
{
  if (!m->self->stop || m->stop_sent) return PETSC_SUCCESS;
  m->stop_sent = true;
  for (int r = 1; r < m->self->size; r++)
    if (!m->dismissed[r]) PetscCall(send_word(m, r, STOP));
  return PETSC_SUCCESS;
}

/* Answer every message that is there. */
static PetscErrorCode serve(master *m)
{
  for (;;) {
    int there = 0;
    MPI_Status status;
    report r;

    PetscCallMPI(MPI_Iprobe(MPI_ANY_SOURCE, REPORT, m->self->comm, &there, &status));
    if (!there) break;
    PetscCallMPI(MPI_Recv(&r, (int)sizeof r, MPI_BYTE, status.MPI_SOURCE, REPORT, m->self->comm,
                          MPI_STATUS_IGNORE));
    PetscCall(answer(m, &r, status.MPI_SOURCE));
    if (r.notice[0] && r.kind == DONE) PetscCall(watch(m, true));
  }
  PetscCall(watch(m, false));
  return send_stop(m);
}

static PetscErrorCode pause_master(void *context, double progress, bool *stop)
{
  master *m = context;

  m->self->share = progress;
  m->part[0] = done_here(m, m->self->run, progress);
  m->self->broken = serve(m);
  *stop = m->self->stop;
  return m->self->broken;
}

static PetscErrorCode work_as_master(master *m)
{
  const bool trains = m->self->size <= TRAINING_RANK_0;

  while (trains && (m->self->run = claim_next(m, 0)) != NONE) {
    report done;

    PetscCall(do_run(m->self, pause_master, m, &done));
    count_done(m, 0, &done);
    PetscCall(watch(m, done.notice[0] != '\0'));
  }
  m->claim[0] = NONE;
  m->part[0] = 0.0;
  while (m->left > 0 || m->open > 0) { /* a worker asks before it reports its last run */
    PetscCall(serve(m));
    doze();
  }
  return watch(m, true);
}

/* ---- the other ranks ---------------------------------------------------------------------------- */

/* All that rank 0 has said, and whether it still lives. */
static PetscErrorCode hear(worker *w)
{
  char words[32];

  for (;;) {
    int32_t word = ALIVE;
    int there = 0;

    PetscCallMPI(MPI_Iprobe(0, WORD, w->self->comm, &there, MPI_STATUS_IGNORE));
    if (!there) break;
    PetscCallMPI(MPI_Recv(&word, 1, MPI_INT32_T, 0, WORD, w->self->comm, MPI_STATUS_IGNORE));
    silence_end(&w->silent);
    if (word == STOP) w->self->stop = true;
  }
  if (!silence_too_long(&w->silent, w->self->limit)) return PETSC_SUCCESS;
  ip_seconds_format(w->self->limit, words);
  return ip_error_raise(
      IP_ERR_ENVIRONMENT, __func__,
      "rank 0 has given no sign of life for %s: it hangs, or this host was cut "
      "off, so the job ends. What is done is safe; the same command continues "
      "(a longer wait: stall=SECONDS)",
      words);
}

/* Until the last report has left; rank 0 may hang, so that it never does. */
static PetscErrorCode await_sent(worker *w)
{
  int sent = 0;

  for (;;) {
    PetscCallMPI(MPI_Test(&w->sending, &sent, MPI_STATUS_IGNORE));
    if (sent) return PETSC_SUCCESS;
    PetscCall(hear(w));
    doze();
  }
}

static PetscErrorCode tell(worker *w, const report *r)
{
  PetscCall(await_sent(w));
  w->letter = *r;
  PetscCallMPI(MPI_Isend(&w->letter, (int)sizeof w->letter, MPI_BYTE, 0, REPORT, w->self->comm,
                         &w->sending));
  return PETSC_SUCCESS;
}

static PetscErrorCode ask(worker *w)
{
  char host[MPI_MAX_PROCESSOR_NAME] = "";
  report question = {.kind = ASK};
  int length;

  if (w->asked) return PETSC_SUCCESS;
  w->asked = true;
  PetscCallMPI(MPI_Get_processor_name(host, &length));
  snprintf(question.notice, sizeof question.notice, "%.*s", HOST - 1, host);
  PetscCallMPI(MPI_Irecv(&w->answer, 1, MPI_INT32_T, 0, ANSWER, w->self->comm, &w->request));
  return tell(w, &question);
}

/* Rank 0 alone decides to stop: it is told of a signal, once. */
static PetscErrorCode tell_signal(worker *w)
{
  const int signal = w->self->sweep->signaled ? w->self->sweep->signaled() : 0;

  if (signal == 0 || w->told_signal) return PETSC_SUCCESS;
  w->told_signal = true;
  return tell(w, &(report){.kind = SIGNALED, .status = signal});
}

static PetscErrorCode talk(worker *w, double progress)
{
  const ip_run *run = &w->self->plan->run[w->self->run];
  const double time = MPI_Wtime();

  PetscCall(hear(w));
  PetscCall(tell_signal(w));
  if ((1.0 - progress) * run->cost <= run->cost_epoch + run->cost_look) PetscCall(ask(w));
  if (time - w->beat < fmin(fmax(beat_seconds, 0.05 * w->self->size), w->self->limit / 8.0))
    return PETSC_SUCCESS;
  w->beat = time;
  return tell(w, &(report){.kind = BEAT, .run = w->self->run, .progress = progress});
}

static PetscErrorCode pause_worker(void *context, double progress, bool *stop)
{
  worker *w = context;

  w->self->share = progress;
  w->self->broken = talk(w, progress);
  *stop = w->self->stop;
  return w->self->broken;
}

/* The next run, or NONE. */
static PetscErrorCode await(worker *w, int32_t *run)
{
  int there = 0;

  PetscCall(ask(w));
  while (!there) {
    PetscCallMPI(MPI_Test(&w->request, &there, MPI_STATUS_IGNORE));
    if (there) break;
    PetscCall(hear(w));
    doze();
  }
  w->asked = false;
  *run = w->answer;
  return PETSC_SUCCESS;
}

static PetscErrorCode work_as_worker(worker *w)
{
  for (;;) {
    report done;

    PetscCall(await(w, &w->self->run));
    if (w->self->run == NONE) break;
    PetscCall(hear(w));
    w->beat = MPI_Wtime();
    done = (report){.kind = DONE, .run = w->self->run, .status = IP_STATUS_PENDING};
    if (!w->self->stop) PetscCall(do_run(w->self, pause_worker, w, &done));
    PetscCall(tell(w, &done)); /* after a stop: not done, and so on until told NONE */
  }
  PetscCall(await_sent(w));
  return hear(w); /* a stop sent while the last answer was under way */
}

/* ---- front door --------------------------------------------------------------------------------- */

typedef struct {
  double cost; /* what is left of it */
  int32_t run;
  bool begun;
} priced;

static int begun_and_longest_first(const void *a, const void *b)
{
  const priced *x = a, *y = b;

  if (x->begun != y->begun) return x->begun ? -1 : 1;
  if (x->cost != y->cost) return x->cost < y->cost ? 1 : -1;
  return (x->run > y->run) - (x->run < y->run);
}

static PetscErrorCode sort_runs(master *m)
{
  const ip_keeper *keeper = m->self->sweep->keeper;
  const int32_t *todo = m->self->sweep->todo;
  priced *p = NULL;

  PetscCall(IP_ALLOCATE(m->n, &p));
  for (size_t i = 0; i < m->n; i++) {
    if (keeper) m->share[todo[i]] = keeper->share(keeper->context, (size_t)todo[i]);
    p[i] = (priced){
        .cost = done_here(m, todo[i], 1.0), .run = todo[i], .begun = m->share[todo[i]] > 0.0};
  }
  if (m->n > 1) qsort(p, m->n, sizeof *p, begun_and_longest_first);
  for (size_t i = 0; i < m->n; i++) {
    m->order[i] = p[i].run;
    m->progress.work += p[i].cost;
  }
  ip_release(&p);
  return PETSC_SUCCESS;
}

static PetscErrorCode fill_master(master *m)
{
  const size_t size = (size_t)m->self->size;
  const int32_t *todo = m->self->sweep->todo;

  PetscCall(IP_ALLOCATE(m->n, &m->order));
  PetscCall(IP_ALLOCATE(size, &m->part));
  PetscCall(IP_ALLOCATE(size, &m->claim));
  PetscCall(IP_ALLOCATE(size, &m->dismissed));
  PetscCall(IP_ALLOCATE(size, &m->held));
  PetscCall(IP_ALLOCATE(size, &m->silent));
  PetscCall(IP_ALLOCATE(size, &m->host));
  PetscCall(IP_ALLOCATE(m->self->plan->n_runs, &m->share));
  PetscCall(sort_runs(m));
  for (size_t r = 0; r < size; r++) m->claim[r] = NONE;
  m->progress.runs = m->self->plan->n_runs;
  for (size_t i = 0; i < m->n; i++) m->status[todo[i]] = IP_STATUS_PENDING; /* done again */
  for (size_t r = 0; r < m->self->plan->n_runs; r++) {
    m->progress.done += (size_t)(m->status[r] != IP_STATUS_PENDING);
    m->progress.diverged += (size_t)(m->status[r] == IP_STATUS_DIVERGED);
    m->progress.failed += (size_t)(m->status[r] == IP_STATUS_FAILED);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode be_master(master *m, bool *left_over)
{
  const ip_sweep *sweep = m->self->sweep;

  PetscCall(fill_master(m));
  PetscCall(work_as_master(m));
  *left_over = false;
  for (size_t i = 0; i < sweep->n; i++)
    *left_over = *left_over || sweep->status[sweep->todo[i]] == IP_STATUS_PENDING;
  return PETSC_SUCCESS;
}

static void clear_master(master *m)
{
  ip_release(&m->order);
  ip_release(&m->part);
  ip_release(&m->claim);
  ip_release(&m->dismissed);
  ip_release(&m->held);
  ip_release(&m->silent);
  ip_release(&m->host);
  ip_release(&m->share);
}

/* The plain barrier burns the core; workers may wait here for hours, rank 0 comes last. */
static PetscErrorCode quiet_barrier(rank_state *self, worker *w)
{
  MPI_Request request;
  silence absent = {0};
  int there = 0;

  PetscCallMPI(MPI_Ibarrier(self->comm, &request));
  for (;;) {
    PetscCallMPI(MPI_Test(&request, &there, MPI_STATUS_IGNORE));
    if (self->rank > 0) PetscCall(hear(w));
    if (there) return PETSC_SUCCESS;
    IP_CHECK(self->rank > 0 || !silence_too_long(&absent, self->limit), IP_ERR_ENVIRONMENT,
             "a rank has done its work and does not come to the end: it hangs, or its host was "
             "cut off. All runs are done; the same command verifies them");
    doze();
  }
}

static PetscErrorCode conduct(rank_state *self, master *m, worker *w, bool *stopped)
{
  bool left_over = false;

  PetscCall(self->rank == 0 ? be_master(m, &left_over) : work_as_worker(w));
  PetscCall(quiet_barrier(self, w));
  PetscCallMPI(MPI_Bcast(&left_over, 1, MPI_C_BOOL, 0, self->comm));
  *stopped = left_over;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_study_run(MPI_Comm comm, const ip_sweep *sweep, bool *stopped)
{
  rank_state self = {
      .comm = comm, .plan = sweep->plan, .sweep = sweep, .run = NONE, .speed = guess_seconds};
  worker w = {.self = &self, .sending = MPI_REQUEST_NULL};
  master m = {.self = &self, .n = sweep->n, .status = sweep->status};

  PetscCallMPI(MPI_Comm_rank(comm, &self.rank));
  PetscCallMPI(MPI_Comm_size(comm, &self.size));
  m.left = self.size - 1;
  PetscCall(stage_register());
  self.limit = silence_limit(self.plan, sweep->stall, self.speed);
  PetscCall(ip_record_create(sweep->plan, &self.record));

  const PetscErrorCode code = conduct(&self, &m, &w, stopped);

  clear_master(&m); /* after the barrier: messages may have been under way from it */
  ip_record_destroy(&self.record);
  return code;
}
