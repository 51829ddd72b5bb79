#pragma once

/** @file
 *  The sides of the schedule: rank 0, which hands out runs, the others that train, and those that
 *  assist them.  Private to the study.
 */

#include "given.h"
#include "silence.h"

enum { REPORT = 1, ANSWER, WORD };  /**< tags                                   */
enum { ASK, DONE, BEAT, SIGNALED }; /**< kinds of report                        */
enum { STOP, ALIVE };               /**< words                                  */
enum { NONE = -1 };                 /**< answer: no run is left                 */
enum { HOST = 64 };                 /**< bytes of a host's name                 */

typedef struct {
  int32_t kind, run, status; /**< of DONE a status, of SIGNALED the signal */
  double progress;  /**< 0 .. 1 of the run; of DONE and pending: where it was given up */
  char notice[240]; /**< of DONE why it failed, of ASK the host's name                 */
} report;

typedef struct group group; /**< ranks that work on one run */

/** What every rank has. */
typedef struct {
  MPI_Comm comm;
  int rank, size;
  int each, leaders; /**< ranks that work on one run; ranks that train */
  const ip_plan *plan;
  const ip_sweep *sweep;
  ip_record *record;
  given *given;          /**< NULL: networks are trained */
  int32_t run;           /**< being trained here, NONE */
  double share;          /**< of it that is done */
  PetscErrorCode broken; /**< a pause failed: the study is at fault, not the run */
  bool stop;
  double speed, limit; /**< seconds of an elementary operation; of silence that are too much */
  double busy;         /**< seconds in which it trained, measured and stored                 */
  group *group;        /**< NULL: every rank trains                                          */
  ip_pause pause;      /**< while it trains: what lets other ranks go on                     */
  void *pause_context;
} rank_state;

static inline bool schedule_leads(const rank_state *self, int rank)
{
  return rank % self->each == 0;
}

/** Train self->run and hand it on; what became of it is in *done. */
PetscErrorCode schedule_do_run(rank_state *self, ip_pause pause, void *context, report *done);
void schedule_sleep(double seconds);
void schedule_doze(void);

/** Rank 0 beside it. */
typedef struct master master;
PetscErrorCode master_create(rank_state *self, master **result);
/** Until every rank has been told NONE; *left_over: some runs were not done. */
PetscErrorCode master_work(master *m, bool *left_over);
void master_destroy(master **result); /**< once all ranks have met: messages are sent from it */

/** Every other rank beside it. */
typedef struct worker worker;
PetscErrorCode worker_create(rank_state *self, worker **result);
PetscErrorCode worker_work(worker *w); /**< until it is told NONE */
/** All that rank 0 has said, and whether it still lives. */
PetscErrorCode worker_hear(worker *w);
/** The same, and rank 0 is told of a signal: for who does not train. */
PetscErrorCode worker_listen(worker *w);
/** All that was told to rank 0 has left. */
PetscErrorCode worker_fall_silent(worker *w);
void worker_destroy(worker **w);

/** The ranks that work on one run; collective. */
PetscErrorCode group_create(rank_state *self, group **result);
void group_destroy(group **result);
/** Of the leader: who assists; NULL: nobody. */
const ip_assistants *group_assistants(const group *g);
double group_waited(const group *g); /**< seconds in which the leader waited for them */
/** Of an assistant: until no look will follow. */
PetscErrorCode group_assist(group *g, worker *w);
/** Of the leader: no look will follow. */
PetscErrorCode group_leave(group *g);
/** Once all have met; collective. */
PetscErrorCode group_part(group *g);
