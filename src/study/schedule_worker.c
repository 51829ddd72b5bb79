/* A rank that is given runs: asks for the next one in time, says that it lives, hears of a stop.

   It never waits for a message to arrive without listening: rank 0 may hang. */

#include "schedule.h"
#include <math.h>
#include <stdio.h>

static const double beat_seconds = 2.0; /* at the least; and 20 beats a second of all ranks */

struct worker {
  rank_state *self;
  bool asked, told_signal;
  int32_t answer;
  MPI_Request request;
  report letter; /* on its way to rank 0 */
  MPI_Request sending;
  double beat;
  silence silent; /* of rank 0 */
};

PetscErrorCode worker_hear(worker *w)
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
    PetscCall(worker_hear(w));
    schedule_doze();
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

PetscErrorCode worker_listen(worker *w)
{
  PetscCall(worker_hear(w));
  return tell_signal(w);
}

PetscErrorCode worker_fall_silent(worker *w)
{
  return await_sent(w);
}

static PetscErrorCode talk(worker *w, double progress)
{
  const ip_run *run = &w->self->plan->run[w->self->run];
  const double time = MPI_Wtime();

  PetscCall(worker_listen(w));
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
    PetscCall(worker_hear(w));
    schedule_doze();
  }
  w->asked = false;
  *run = w->answer;
  return PETSC_SUCCESS;
}

PetscErrorCode worker_work(worker *w)
{
  for (;;) {
    report done;

    PetscCall(await(w, &w->self->run));
    if (w->self->run == NONE) break;
    PetscCall(worker_hear(w));
    w->beat = MPI_Wtime();
    done = (report){.kind = DONE, .run = w->self->run, .status = IP_STATUS_PENDING};
    if (!w->self->stop) PetscCall(schedule_do_run(w->self, pause_worker, w, &done));
    PetscCall(tell(w, &done)); /* after a stop: not done, and so on until told NONE */
  }
  PetscCall(await_sent(w));
  return worker_hear(w); /* a stop sent while the last answer was under way */
}

PetscErrorCode worker_create(rank_state *self, worker **result)
{
  worker *w = NULL;

  PetscCall(IP_ALLOCATE(1, &w));
  *w = (worker){.self = self, .sending = MPI_REQUEST_NULL};
  *result = w;
  return PETSC_SUCCESS;
}

void worker_destroy(worker **w)
{
  ip_release(w);
}
