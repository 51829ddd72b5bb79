/* The schedule played through, event by event, in seconds instead of by ranks.

   A worker's question arrives; rank 0 sees it when it pauses (at once where it does not train), takes
   `handing` to answer, one after the other; the answer travels back, and the worker begins when it has
   both the answer and its last run behind it.  Questions are taken in order of arrival from a heap. */

#include <infoplane/study.h>
#include <math.h>

static const double doze = 1e-4; /* half of what rank 0 sleeps when it has nothing to do */

typedef struct {
  double time;
  size_t rank;
} event;

typedef struct {
  const ip_launch *launch;
  size_t next; /* run to hand out */
  size_t n;    /* events, a heap  */
  event *heap;
  size_t leaders;
  double *end;         /* shape (leaders): of the run of each                 */
  double free;         /* when rank 0 has answered                            */
  double begin, pause; /* of the run that rank 0 trains until end[0]          */
  double wall, work;
} play;

/* ---- events in order of time ---------------------------------------------------------------------- */

static bool before(const event *a, const event *b)
{
  return a->time != b->time ? a->time < b->time : a->rank < b->rank;
}

static void push(play *p, double time, size_t rank)
{
  const event e = {time, rank};
  size_t i = p->n++;

  for (; i > 0 && before(&e, &p->heap[(i - 1) / 2]); i = (i - 1) / 2)
    p->heap[i] = p->heap[(i - 1) / 2];
  p->heap[i] = e;
}

static event pop(play *p)
{
  const event first = p->heap[0], e = p->heap[--p->n];
  size_t i = 0;

  for (size_t child = 1; child < p->n; child = 2 * i + 1) {
    child += (size_t)(child + 1 < p->n && before(&p->heap[child + 1], &p->heap[child]));
    if (!before(&p->heap[child], &e)) break;
    p->heap[i] = p->heap[child];
    i = child;
  }
  p->heap[i] = e;
  return first;
}

/* ---- ranks ------------------------------------------------------------------------------------------ */

static const ip_run_time *claim(play *p, size_t rank)
{
  const ip_launch *l = p->launch;
  const ip_run_time *time = l->last && rank + 1 == p->leaders ? l->last : l->time,
                    *run = p->next < l->n ? &time[p->next++] : NULL;

  if (run) p->work += run->alone;
  return run;
}

/* Rank 0 has time for itself. */
static void train_on_rank_0(play *p, double now)
{
  const ip_run_time *run = claim(p, 0);

  p->begin = fmax(now, p->free);
  if (!run) return;
  p->pause = run->pause;
  p->end[0] = p->begin + run->seconds;
  push(p, p->end[0], 0);
}

/* When rank 0 sees what arrives. */
static double seen(const play *p, double arrival)
{
  const double time = fmax(arrival, p->free);

  if (time >= p->end[0]) return arrival > p->free ? time + doze : time;
  if (p->pause <= 0.0) return time;
  return fmin(p->end[0], p->begin + ceil((time - p->begin) / p->pause) * p->pause);
}

static void answer(play *p, const event *question)
{
  const ip_launch *l = p->launch;
  const size_t rank = question->rank;
  const ip_run_time *run = claim(p, rank);
  const double there = seen(p, question->time) + l->handing + l->message;

  p->free = there - l->message;
  p->wall = fmax(p->wall, fmax(there, p->end[rank]));
  if (!run) return;

  const double begin = fmax(there, p->end[rank]);

  p->end[rank] = begin + run->seconds;
  push(p, fmax(begin, p->end[rank] - run->ahead) + l->message, rank);
}

/* ---- front door ------------------------------------------------------------------------------------- */

static void play_through(play *p)
{
  const bool trains = p->leaders <= IP_RANK_0_TRAINS;

  for (size_t r = 0; r < p->leaders; r++) p->end[r] = p->launch->before;
  if (trains) train_on_rank_0(p, p->launch->before);
  for (size_t r = 1; r < p->leaders; r++) push(p, p->launch->before + p->launch->message, r);
  while (p->n > 0) {
    const event e = pop(p);

    p->wall = fmax(p->wall, e.time);
    if (e.rank == 0)
      train_on_rank_0(p, e.time);
    else
      answer(p, &e);
  }
}

PetscErrorCode ip_launch_simulate(const ip_launch *launch, ip_forecast *forecast)
{
  play p = {.launch = launch, .free = launch->before, .wall = launch->before};
  double longest = 0.0;

  IP_CHECK(launch->ranks > 0, IP_ERR_CONFIG, "a launch needs one rank at the least");
  p.leaders = (size_t)ip_study_leaders((int)launch->ranks, launch->ranks_per_run);
  PetscCall(IP_ALLOCATE(p.leaders, &p.end));

  const PetscErrorCode code = IP_ALLOCATE(p.leaders, &p.heap);

  if (!code) play_through(&p);
  ip_release(&p.end);
  ip_release(&p.heap);
  PetscCall(code);
  for (size_t i = 0; i < launch->n; i++) longest = fmax(longest, launch->time[i].seconds);
  *forecast = (ip_forecast){.wall = p.wall,
                            .efficiency =
                                p.wall > 0.0 ? p.work / ((double)launch->ranks * p.wall) : 1.0,
                            .longest = longest};
  return PETSC_SUCCESS;
}
