#pragma once

/** @file  Who holds a lock: written, read back with no trust, asked whether he lives.  Private to
 *  the store. */

#include <infoplane/core.h>

enum { HOLDER_BLOCK = 1024, HOLDER_WORD = 256 }; /* bytes of the text, of a word in it */

typedef struct {
  uint64_t token;
  char host[HOLDER_WORD];
  char job[HOLDER_WORD];  /**< Slurm's name for this job alone, "77" or "77_2"; "" = none */
  char task[HOLDER_WORD]; /**< what squeue shows for it, where that is another: "76_1" */
  int64_t restart;        /**< how often Slurm restarted it */
  int64_t pid, started;   /**< started: clock ticks since boot */
  int64_t heartbeat;      /**< seconds since 1970 by the holder's clock */
  int64_t runs, done, diverged, failed, running;
  double rate, left; /**< runs per hour, seconds */
} holder;

/** This process, with a new token.  IP_ERR_ENVIRONMENT: no random numbers. */
PetscErrorCode holder_introduce(holder *me);

void holder_write(const holder *h, char block[HOLDER_BLOCK]);
bool holder_read(int fd, holder *h); /**< false: unreadable; rubbish gives zeros and "" */

/** "job 78 (77_1)", with this before it; nothing without a job. */
PetscErrorCode holder_add_job(const holder *h, const char *before, ip_text *words);

bool holder_here(const holder *h); /**< on this host */
bool holder_gone(const holder *h); /**< on this host, and its process has ended */

/** Its lock may be taken: gone, its Slurm job is, or silent (seconds) for long and break_lock. */
bool holder_stale(const holder *h, double silent, bool break_lock);
