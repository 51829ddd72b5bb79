/* The ranks that work on one run: the first one trains it, the others assist it in measuring.

     leader -> assistant   LOOK: measure this look;  DROP: leave off;  BYE: no look will follow
     assistant -> leader   PART: items that it has made;  END: of its share of the look, or an error

   Assistants run ahead: while the leader still looks at the network they make items of the first
   layers, and keep what it has not fetched.  Every look ends with an END of each assistant, so
   that nothing is under way between two looks.  The leader's share of the items shrinks until all
   need the same time for a look, whatever else it has to do; results do not depend on it.

   Nobody waits for a message without listening: the other side may hang, a stop may come. */

#include "assist.h"
#include "schedule.h"
#include "stage.h"
#include "training.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LOOK = 1, DROP, BYE, PART, END };  /* tags */
enum { KEPT = 16 };                       /* parts of an assistant under way, at most */
static const double idle_part = 1.0 / 64; /* of the time it is idle, between two glances */
static const double idle_most = 5e-3, short_nap = 2e-4; /* s */

typedef struct {
  int32_t run, first;
  double lead;
} look_head; /* the weights follow */

typedef struct {
  int32_t code;
  double busy;      /* seconds of this look       */
  char notice[240]; /* of an error                */
} look_end;

/* On its way to the leader. */
typedef struct {
  MPI_Request request;
  void *bytes;
  size_t n;
} parcel;

struct group {
  rank_state *self;
  MPI_Comm comm;
  int member, size;
  double began, waited; /* this look: training_clock, seconds in which we waited          */
  double waited_all;    /* of all looks                                                   */
  char *letter;         /* a LOOK: head and weights                                       */
  size_t room;          /* bytes of it                                                    */
  /* of the leader */
  ip_assistants assistants;
  char (*host)[HOST];   /* shape (size)                                                   */
  silence *silent;      /* shape (size)                                                   */
  MPI_Request *sending; /* shape (size): the letter                                       */
  look_end *end;        /* shape (size)                                                   */
  bool *ended;          /* shape (size): of this look                                     */
  double lead;          /* our share of the items                                         */
  /* of an assistant */
  worker *worker;
  assistance *assistance;
  parcel parcel[KEPT];
  size_t parcels, kept; /* how many, bytes of them */
  bool dropped;
};

/* ---- waiting ---------------------------------------------------------------------------------- */

/* The study is at fault, not the run. */
static PetscErrorCode grave(group *g, PetscErrorCode code)
{
  if (code && !g->self->broken) g->self->broken = code;
  return code;
}

static void nap(double seconds)
{
  schedule_sleep(seconds < short_nap ? short_nap : seconds < idle_most ? seconds : idle_most);
}

/* Of the leader: other ranks go on meanwhile, and an assistant must not let us wait for ever. */
static PetscErrorCode wait_for(group *g, int member)
{
  const rank_state *self = g->self;
  const double before = training_clock();
  bool stop = false;
  char words[32];

  PetscCall(self->pause(self->pause_context, self->share, &stop));
  if (silence_too_long(&g->silent[member], self->limit)) {
    ip_seconds_format(self->limit, words);
    return grave(g, ip_error_raise(IP_ERR_ENVIRONMENT, __func__,
                                   "rank %d on host %s, which assists rank %d, has made no "
                                   "progress for %s: it hangs, or its host was cut off, so the "
                                   "job ends. What is done is safe; the same command continues "
                                   "(a longer wait: stall=SECONDS)",
                                   self->rank + member, g->host[member], self->rank, words));
  }
  nap(0.0);
  g->waited += training_clock() - before;
  return PETSC_SUCCESS;
}

static PetscErrorCode await_request(group *g, int member, MPI_Request *request)
{
  int done = 0;

  silence_end(&g->silent[member]);
  for (;;) {
    PetscCallMPI(MPI_Test(request, &done, MPI_STATUS_IGNORE));
    if (done) return PETSC_SUCCESS;
    PetscCall(wait_for(g, member));
  }
}

/* The next message of an assistant, not yet received. */
static PetscErrorCode await_message(group *g, int member, int *tag, int *bytes)
{
  MPI_Status status;
  int there = 0;

  silence_end(&g->silent[member]);
  for (;;) {
    PetscCallMPI(MPI_Iprobe(member, MPI_ANY_TAG, g->comm, &there, &status));
    if (there) break;
    PetscCall(wait_for(g, member));
  }
  *tag = status.MPI_TAG;
  PetscCallMPI(MPI_Get_count(&status, MPI_BYTE, bytes));
  return PETSC_SUCCESS;
}

static PetscErrorCode receive(group *g, int member, int tag, int bytes, void *to)
{
  MPI_Request request;

  PetscCallMPI(MPI_Irecv(to, bytes, MPI_BYTE, member, tag, g->comm, &request));
  return await_request(g, member, &request);
}

static PetscErrorCode receive_end(group *g, int member)
{
  look_end *end = &g->end[member];

  PetscCall(receive(g, member, END, (int)sizeof *end, end));
  g->ended[member] = true;
  IP_CHECK(!end->code, (PetscErrorCode)end->code, "rank %d on host %s, which assists: %s",
           g->self->rank + member, g->host[member], end->notice);
  return PETSC_SUCCESS;
}

/* ---- the leader ------------------------------------------------------------------------------- */

static PetscErrorCode gather(void *context, size_t bytes, const size_t begin[], void *item)
{
  group *g = context;

  for (int m = 1; m < g->size; m++) {
    const size_t at = begin[m] * bytes, n = (begin[m + 1] - begin[m]) * bytes;
    int tag, there;

    if (n == 0) continue;
    PetscCall(await_message(g, m, &tag, &there));
    if (tag == END) PetscCall(receive_end(g, m));
    IP_CHECK(tag == PART && (size_t)there == n, IP_ERR_INTERNAL,
             "rank %d, which assists, sent %d bytes with tag %d where %zu were due",
             g->self->rank + m, there, tag, n);
    PetscCall(receive(g, m, PART, there, (char *)item + at));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode make_room(group *g, size_t bytes)
{
  IP_CHECK(bytes <= INT_MAX, IP_ERR_INTERNAL, "%zu bytes are too many for one message", bytes);
  if (g->room >= bytes) return PETSC_SUCCESS;
  ip_release(&g->letter);
  g->room = 0;
  PetscCall(ip_allocate_bytes(bytes, 1, &g->letter));
  g->room = bytes;
  return PETSC_SUCCESS;
}

static PetscErrorCode call(void *context, const ip_shared_look *look, ip_crew *crew)
{
  group *g = context;
  const look_head head = {
      .run = (int32_t)look->run, .first = (int32_t)look->first, .lead = g->lead};
  const size_t bytes = sizeof head + look->n * sizeof *look->weights;

  PetscCall(make_room(g, bytes));
  memcpy(g->letter, &head, sizeof head);
  memcpy(g->letter + sizeof head, look->weights, look->n * sizeof *look->weights);
  g->began = training_clock();
  g->waited = 0.0;
  for (int m = 1; m < g->size; m++) {
    g->ended[m] = false;
    PetscCallMPI(MPI_Isend(g->letter, (int)bytes, MPI_BYTE, m, LOOK, g->comm, &g->sending[m]));
  }
  /* it must have left before we compute: over TCP nothing moves meanwhile */
  for (int m = 1; m < g->size; m++) PetscCall(await_request(g, m, &g->sending[m]));
  *crew = (ip_crew){.size = (size_t)g->size, .lead = g->lead, .context = g, .gather = gather};
  return PETSC_SUCCESS;
}

/* What an assistant still sends of this look, until its END. */
static PetscErrorCode see_out(group *g, int member)
{
  while (!g->ended[member]) {
    int tag, bytes;
    char *unused = NULL;

    PetscCall(await_message(g, member, &tag, &bytes));
    if (tag == END) return receive_end(g, member);
    PetscCall(ip_allocate_bytes((size_t)bytes, 1, &unused));

    const PetscErrorCode code = receive(g, member, tag, bytes, unused);

    ip_release(&unused);
    PetscCall(code);
  }
  return PETSC_SUCCESS;
}

/* So that at the next look all are busy equally long: what a member has too much, or too little, as
   a share of what all do.  That is more than the items alone, so it comes nearer step by step. */
static void adapt_lead(group *g)
{
  const double mine = training_clock() - g->began - g->waited, others = g->size - 1;
  double theirs = 0.0;

  for (int m = 1; m < g->size; m++) theirs += g->end[m].busy;
  g->lead -= (mine - theirs / others) * others / g->size / (mine + theirs);
  g->lead = fmin(fmax(g->lead, 0.0), 1.0);
}

static PetscErrorCode send_bare(const group *g, int tag, int member)
{
  static const int32_t nothing = 0;
  MPI_Request request;

  PetscCallMPI(MPI_Isend(&nothing, 1, MPI_INT32_T, member, tag, g->comm, &request));
  PetscCallMPI(MPI_Request_free(&request));
  return PETSC_SUCCESS;
}

static PetscErrorCode dismiss(void *context, bool measured)
{
  group *g = context;
  PetscErrorCode code = g->self->broken;

  if (code) return code; /* who hangs would let us wait again */
  for (int m = 1; m < g->size && !measured; m++)
    if (!g->ended[m]) PetscCall(send_bare(g, DROP, m));
  for (int m = 1; m < g->size; m++) {
    const PetscErrorCode own = see_out(g, m);

    PetscCall(g->self->broken);
    if (!code) code = own;
  }
  if (measured && !code) adapt_lead(g);
  g->waited_all += g->waited;
  return code;
}

const ip_assistants *group_assistants(const group *g)
{
  return g->size > 1 ? &g->assistants : NULL;
}

double group_waited(const group *g)
{
  return g->waited_all;
}

PetscErrorCode group_leave(group *g)
{
  for (int m = 1; m < g->size && g->member == 0; m++) PetscCall(send_bare(g, BYE, m));
  return PETSC_SUCCESS;
}

/* ---- an assistant ----------------------------------------------------------------------------- */

/* What has arrived is forgotten. */
static PetscErrorCode clear_away(group *g)
{
  size_t left = 0;

  for (size_t i = 0; i < g->parcels; i++) {
    int sent = 0;

    PetscCallMPI(MPI_Test(&g->parcel[i].request, &sent, MPI_STATUS_IGNORE));
    if (sent) {
      g->kept -= g->parcel[i].n;
      ip_release(&g->parcel[i].bytes);
    } else {
      g->parcel[left++] = g->parcel[i];
    }
  }
  g->parcels = left;
  return PETSC_SUCCESS;
}

/* Between two items, and while waiting. */
static PetscErrorCode listen(group *g)
{
  int there = 0;

  PetscCall(grave(g, worker_listen(g->worker)));
  PetscCall(clear_away(g));
  PetscCallMPI(MPI_Iprobe(0, DROP, g->comm, &there, MPI_STATUS_IGNORE));
  if (there) g->dropped = true; /* it is received once the look is over */
  return PETSC_SUCCESS;
}

static PetscErrorCode between(void *context)
{
  group *g = context;

  PetscCall(listen(g));
  IP_CHECK(!g->dropped, IP_ERR_STOPPED, "the look was given up");
  return PETSC_SUCCESS;
}

static PetscErrorCode send_parcel(group *g, int tag, const void *bytes, size_t n)
{
  while (g->parcels == KEPT || (g->parcels > 0 && g->kept + n > ASSIST_KEPT_BYTES)) {
    const double before = training_clock();

    if (tag == PART)
      PetscCall(between(g));
    else
      PetscCall(listen(g));
    nap(0.0);
    g->waited += training_clock() - before;
  }

  parcel *p = &g->parcel[g->parcels];

  *p = (parcel){.n = n};
  PetscCall(ip_allocate_bytes(n, 1, &p->bytes));
  memcpy(p->bytes, bytes, n);
  g->parcels++;
  g->kept += n;
  PetscCallMPI(MPI_Isend(p->bytes, (int)n, MPI_BYTE, 0, tag, g->comm, &p->request));
  return PETSC_SUCCESS;
}

static PetscErrorCode hand_over(void *context, size_t bytes, const size_t begin[], void *item)
{
  group *g = context;
  const size_t at = begin[g->member] * bytes, n = begin[g->member + 1] * bytes - at;

  PetscCall(between(g));
  return n > 0 ? send_parcel(g, PART, (const char *)item + at, n) : PETSC_SUCCESS;
}

static PetscErrorCode assist_look(group *g, int bytes)
{
  look_head head;
  look_end end = {.code = 0};

  g->began = training_clock();
  g->waited = 0.0;
  g->dropped = false;
  memcpy(&head, g->letter, sizeof head);

  const ip_shared_look look = {.run = (size_t)head.run,
                               .first = (size_t)head.first,
                               .n = ((size_t)bytes - sizeof head) / sizeof(float),
                               .weights =
                                   (const float *)(const void *)(g->letter + sizeof head)};
  const ip_crew crew = {.member = (size_t)g->member,
                        .size = (size_t)g->size,
                        .lead = head.lead,
                        .context = g,
                        .gather = hand_over,
                        .between = between};
  const PetscErrorCode code = assistance_look(g->assistance, &look, &crew);

  PetscCall(g->self->broken);
  if (code) {
    PetscCall(stage_unwind());
    if (!g->dropped) {
      end.code = (int32_t)code;
      snprintf(end.notice, sizeof end.notice, "%s", ip_error_message());
    }
    ip_error_clear();
  }
  end.busy = training_clock() - g->began - g->waited;
  g->self->busy += end.busy;
  return send_parcel(g, END, &end, sizeof end);
}

/* The next message of the leader, heard of without burning the core. */
static PetscErrorCode await_leader(group *g, MPI_Status *status)
{
  const double idle = training_clock();

  for (;;) {
    int there = 0;

    PetscCallMPI(MPI_Iprobe(0, MPI_ANY_TAG, g->comm, &there, status));
    if (there) return PETSC_SUCCESS;
    PetscCall(listen(g));
    nap((training_clock() - idle) * idle_part);
  }
}

PetscErrorCode group_assist(group *g, worker *w)
{
  g->worker = w;
  PetscCall(assistance_create(g->self->plan, &g->assistance));
  for (;;) {
    MPI_Status status;
    int bytes;

    PetscCall(await_leader(g, &status));
    PetscCallMPI(MPI_Get_count(&status, MPI_BYTE, &bytes));
    PetscCall(make_room(g, (size_t)bytes));
    PetscCallMPI(
        MPI_Recv(g->letter, bytes, MPI_BYTE, 0, status.MPI_TAG, g->comm, MPI_STATUS_IGNORE));
    if (status.MPI_TAG == BYE) break;
    if (status.MPI_TAG == LOOK) PetscCall(assist_look(g, bytes));
  }
  while (g->parcels > 0) { /* the leader has them: it has seen us out */
    PetscCall(listen(g));
    nap(0.0);
  }
  return PETSC_SUCCESS;
}

/* ---- front door ------------------------------------------------------------------------------- */

static PetscErrorCode fill(group *g)
{
  const size_t of_host = sizeof *g->host;
  char name[MPI_MAX_PROCESSOR_NAME] = "";
  int length;

  PetscCallMPI(
      MPI_Comm_split(g->self->comm, g->self->rank / g->self->each, g->self->rank, &g->comm));
  PetscCallMPI(MPI_Comm_rank(g->comm, &g->member));
  PetscCallMPI(MPI_Comm_size(g->comm, &g->size));
  PetscCallMPI(MPI_Get_processor_name(name, &length));
  name[of_host - 1] = '\0';
  g->lead = 1.0 / g->size;
  PetscCall(IP_ALLOCATE((size_t)g->size, &g->host));
  PetscCall(IP_ALLOCATE((size_t)g->size, &g->silent));
  PetscCall(IP_ALLOCATE((size_t)g->size, &g->sending));
  PetscCall(IP_ALLOCATE((size_t)g->size, &g->end));
  PetscCall(IP_ALLOCATE((size_t)g->size, &g->ended));
  PetscCallMPI(
      MPI_Allgather(name, (int)of_host, MPI_CHAR, g->host, (int)of_host, MPI_CHAR, g->comm));
  return PETSC_SUCCESS;
}

PetscErrorCode group_create(rank_state *self, group **result)
{
  group *g = NULL;

  PetscCall(IP_ALLOCATE(1, &g));
  g->self = self;
  g->comm = MPI_COMM_NULL;
  g->assistants = (ip_assistants){.context = g, .call = call, .dismiss = dismiss};

  const PetscErrorCode code = fill(g);

  if (code)
    group_destroy(&g);
  else
    *result = g;
  return code;
}

PetscErrorCode group_part(group *g)
{
  PetscCallMPI(MPI_Comm_free(&g->comm));
  return PETSC_SUCCESS;
}

void group_destroy(group **result)
{
  group *g = *result;

  if (!g) return;
  for (size_t i = 0; i < g->parcels; i++) ip_release(&g->parcel[i].bytes);
  assistance_destroy(&g->assistance);
  ip_release(&g->letter);
  ip_release(&g->host);
  ip_release(&g->silent);
  ip_release(&g->sending);
  ip_release(&g->end);
  ip_release(&g->ended);
  ip_release(result);
}
