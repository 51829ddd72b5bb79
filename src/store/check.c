/* What a file proves of itself, without its input and without its data.

   With the plan that a ledger makes come the identities of the runs, which their checksums cover. */

#include "fit.h"
#include "ledger.h"
#include "seal.h"
#include <infoplane/store.h>
#include <string.h>
#include <time.h>

enum { LOOKS = 3 }; /* at a run that does not fit, while a job writes the file */
static const double pause_seconds = 0.5;

/* ---- the runs ------------------------------------------------------------------------------------------ */

static PetscErrorCode prove(const ip_seals *seals, ip_record *buffer, int8_t *status)
{
  ip_status held = IP_STATUS_PENDING;
  bool damaged = false;

  PetscCall(ip_seals_prove(seals, buffer, &held, &damaged));
  *status = (int8_t)(damaged ? (int)IP_FOUND_DAMAGED : (int)held);
  return PETSC_SUCCESS;
}

/* Look at the runs that are not proved yet.  Arrays are opened anew each time: HDF5 keeps what it
   has read of an open one. */
static PetscErrorCode look(const ledger *l, ip_record *buffer, ip_findings *found)
{
  ip_seals seals;

  ip_seals_begin(l->plan, &seals);
  PetscErrorCode code = ip_seals_open(l->file, l->path, &seals);

  for (size_t run = 0; run < found->n_runs && !code; run++) {
    if (found->status[run] != IP_FOUND_DAMAGED) continue;
    buffer->run = run;
    code = prove(&seals, buffer, &found->status[run]);
  }
  ip_seals_close(&seals);
  return code;
}

static bool any_damaged(const ip_findings *found)
{
  return memchr(found->status, IP_FOUND_DAMAGED, found->n_runs) != NULL;
}

/* Somebody may be writing the file: what he is in the middle of does not fit for a moment. */
static bool is_held(const char *path)
{
  ip_text words = {0};
  const bool held = ip_lock_describe(path, &words) == PETSC_SUCCESS && words.length > 0;

  if (!held) ip_error_clear();
  ip_text_clear(&words);
  return held;
}

static PetscErrorCode look_at_runs(const ledger *l, ip_findings *found)
{
  const struct timespec pause = {.tv_nsec = (long)(1e9 * pause_seconds)};
  ip_record *buffer = NULL;

  memset(found->status, IP_FOUND_DAMAGED, found->n_runs);
  PetscCall(ip_record_create(l->plan, &buffer));
  PetscErrorCode code = look(l, buffer, found);

  for (int i = 1; i < LOOKS && !code && any_damaged(found) && is_held(l->path); i++) {
    nanosleep(&pause, NULL);
    code = look(l, buffer, found);
  }
  ip_record_destroy(&buffer);
  return code;
}

PetscErrorCode ip_store_check(const char *path, ip_findings *found)
{
  ledger l;
  ip_findings f = {0};
  PetscErrorCode code = ledger_open(path, &l);

  if (!code) {
    f.n_runs = l.plan->n_runs;
    f.parts = ip_plan_is_given(l.plan);
    code = IP_ALLOCATE(f.n_runs, &f.status);
  }
  if (!code) code = IP_ALLOCATE(f.n_runs, &f.number);
  for (size_t r = 0; r < f.n_runs && !code; r++) f.number[r] = l.plan->run[r].number;
  if (!code) code = ip_fit_values(l.file, l.plan, l.layout, &f.unfit);
  if (!code) code = look_at_runs(&l, &f);
  ledger_close(&l);
  if (code)
    ip_findings_clear(&f);
  else
    *found = f;
  return code;
}

void ip_findings_clear(ip_findings *found)
{
  ip_release(&found->status);
  ip_release(&found->number);
  ip_text_clear(&found->unfit);
  found->n_runs = 0;
}
