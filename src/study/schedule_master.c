/* Rank 0: hands out runs, hears of what became of them, watches over all, and trains too. */

#include "order.h"
#include "schedule.h"
#include <math.h>
#include <stdio.h>

static const double watch_seconds = 0.1;

struct master {
  rank_state *self;
  size_t n, next;     /* runs of this launch, how many are claimed   */
  int32_t *order;     /* shape (n): longest predicted first          */
  int8_t *status;     /* shape (plan->n_runs)                        */
  double *share;      /* shape (plan->n_runs): done in earlier launches            */
  double *part;       /* shape (size): predicted work done of the run of each rank */
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
};

/* ---- messages -------------------------------------------------------------------------------- */

static int32_t claim_next(master *m, int rank)
{
  const bool none = m->self->stop || m->next == m->n;

  m->claim[rank] = none ? NONE : m->order[m->next++];
  return m->claim[rank];
}

/* Predicted work of this launch that a run has done, where it is at this progress. */
static double done_here(const master *m, int32_t run, double progress)
{
  const double *predicted = m->self->sweep->predicted,
               work = predicted ? predicted[run] : m->self->plan->run[run].cost;

  return fmax(0.0, progress - m->share[run]) * work;
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
    m->progress.notice_run = m->self->plan->run[r->run].number;
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

  const int workers = m->self->leaders - 1;

  seen.running = (size_t)(m->open < workers ? m->open : workers);
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

static PetscErrorCode train_and_serve(master *m)
{
  const bool trains = m->self->leaders <= IP_RANK_0_TRAINS;

  while (trains && (m->self->run = claim_next(m, 0)) != NONE) {
    report done;

    PetscCall(schedule_do_run(m->self, pause_master, m, &done));
    count_done(m, 0, &done);
    PetscCall(watch(m, done.notice[0] != '\0'));
  }
  m->claim[0] = NONE;
  m->part[0] = 0.0;
  while (m->left > 0 || m->open > 0) { /* a worker asks before it reports its last run */
    PetscCall(serve(m));
    schedule_doze();
  }
  return watch(m, true);
}

/* ---- front door ------------------------------------------------------------------------------ */

static PetscErrorCode sort_runs(master *m)
{
  const ip_keeper *keeper = m->self->sweep->keeper;
  const int32_t *todo = m->self->sweep->todo;

  for (size_t i = 0; keeper && i < m->n; i++)
    m->share[todo[i]] = keeper->share(keeper->context, (size_t)todo[i]);
  PetscCall(order_runs(m->self->plan, m->share, m->n, todo, m->order));
  for (size_t i = 0; i < m->n; i++) m->progress.work += done_here(m, m->order[i], 1.0);
  return PETSC_SUCCESS;
}

static PetscErrorCode fill(master *m)
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
  for (size_t r = 0; r < size; r++) {
    m->claim[r] = NONE;
    m->dismissed[r] = !schedule_leads(m->self, (int)r); /* who assists asks for no run */
  }
  /* the last part of given activations follows from the others, and is not handed out */
  m->progress.runs = m->self->plan->n_runs - (size_t)ip_plan_is_given(m->self->plan);
  for (size_t i = 0; i < m->n; i++) m->status[todo[i]] = IP_STATUS_PENDING; /* done again */
  for (size_t r = 0; r < m->progress.runs; r++) {
    m->progress.done += (size_t)(m->status[r] != IP_STATUS_PENDING);
    m->progress.diverged += (size_t)(m->status[r] == IP_STATUS_DIVERGED);
    m->progress.failed += (size_t)(m->status[r] == IP_STATUS_FAILED);
  }
  return PETSC_SUCCESS;
}

void master_destroy(master **result)
{
  master *m = *result;

  if (!m) return;
  ip_release(&m->order);
  ip_release(&m->part);
  ip_release(&m->claim);
  ip_release(&m->dismissed);
  ip_release(&m->held);
  ip_release(&m->silent);
  ip_release(&m->host);
  ip_release(&m->share);
  ip_release(result);
}

PetscErrorCode master_create(rank_state *self, master **result)
{
  master *m = NULL;

  PetscCall(IP_ALLOCATE(1, &m));
  *m = (master){.self = self,
                .n = self->sweep->n,
                .status = self->sweep->status,
                .left = self->leaders - 1,
                .watched = (double)-INFINITY}; /* MPI's clock may begin with the job */

  const PetscErrorCode code = fill(m);

  if (code)
    master_destroy(&m);
  else
    *result = m;
  return code;
}

PetscErrorCode master_work(master *m, bool *left_over)
{
  const ip_sweep *sweep = m->self->sweep;

  PetscCall(train_and_serve(m));
  *left_over = false;
  for (size_t i = 0; i < sweep->n; i++)
    *left_over = *left_over || sweep->status[sweep->todo[i]] == IP_STATUS_PENDING;
  return PETSC_SUCCESS;
}
