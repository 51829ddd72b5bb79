/* Runs of a file that kept the weights of every look, for a plan that measures other columns of them.

   The plan of the file is made again from the file.  Both have the same rows, and fields that are not
   of columns have the same shape in both. */

#include "builds.h"
#include "ledger.h"
#include "seal.h"
#include <infoplane/store.h>
#include <string.h>

struct ip_trained_runs {
  char *path;
  ledger l;
  ip_seals seals;
  ip_record *buffer; /* a run as the file has it */
};

static bool is_of_columns(const ip_field *field)
{
  for (size_t a = 0; a < field->n_axes; a++)
    if (field->axis[a] == IP_AXIS_COLUMN) return true;
  return false;
}

/* ---- does it fit the plan ------------------------------------------------------------------------ */

static PetscErrorCode check_data(const ledger *l, const ip_plan *plan)
{
  for (size_t i = 0; i < l->data->n && l->data->n == plan->data->n; i++)
    IP_CHECK(l->data->checksum[i] == plan->data->checksum[i], IP_ERR_CONFIG,
             "%s saw other patterns or labels of data set \"%s\" than are there now: its "
             "activations cannot be made again",
             l->path, l->data->label[i]);
  return PETSC_SUCCESS;
}

static PetscErrorCode same_run(const ledger *l, const ip_plan *plan, size_t run, bool *same)
{
  ip_text one = {0}, two = {0};
  PetscErrorCode code = ip_plan_identity(l->plan, run, &one);

  if (!code) code = ip_plan_identity(plan, run, &two);
  if (!code) *same = strcmp(one.text, two.text) == 0;
  ip_text_clear(&one);
  ip_text_clear(&two);
  return code;
}

/* Both plans are of one config but for its columns. */
static PetscErrorCode check_runs(const ledger *l, const ip_plan *plan)
{
  bool same = l->plan->n_runs == plan->n_runs;

  for (size_t f = 0; f < IP_FIELDS; f++)
    same = same && (is_of_columns(ip_field_row(f)) ||
                    ip_field_length(l->plan, f) == ip_field_length(plan, f));
  for (size_t r = 0; r < plan->n_runs && same; r++) PetscCall(same_run(l, plan, r, &same));
  IP_CHECK(same, IP_ERR_CONFIG, "%s has other runs or looks than are to be measured again",
           l->path);
  return PETSC_SUCCESS;
}

static const char *first_study(const ip_plan *plan, size_t run)
{
  size_t s = 0;

  while (s + 1 < plan->n_studies && !plan->in_study[run * plan->n_studies + s]) s++;
  return plan->options->block[s].name;
}

static PetscErrorCode check_weights(const ledger *l)
{
  static const char *const kept[] = {"no weights", "the weights of its last look alone"};

  for (size_t r = 0; r < l->plan->n_runs; r++) {
    const ip_save save = l->plan->measure[l->plan->run[r].measure].save;

    IP_CHECK(save == IP_SAVE_LOOKED, IP_ERR_CONFIG,
             "%s: run %d of study %s kept %s, so it can only be trained anew: a sweep that is "
             "run with save: {weights: looked} can be measured again",
             l->path, (int)l->plan->run[r].number, first_study(l->plan, r),
             kept[save == IP_SAVE_FINAL]);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode check_builds(const ledger *l, const ip_trained_of *of)
{
  char last[IP_LAYOUT_BUILD + 1];
  int found = -1, n = 0;
  hid_t array = -1;

  PetscCall(ip_h5_open_array(l->file, l->path, "provenance/build_text", &array));
  const PetscErrorCode code = ip_builds_find(array, of->build, &found, &n, last);

  ip_h5_close(array);
  PetscCall(code);
  IP_CHECK(of->accept_build || n == 0 || (n == 1 && found == 0), IP_ERR_CONFIG,
           "%s was trained by another build of infoplane (%s, this is %s): new columns may "
           "differ in the last bits from those of a run that had them from the start, loss and "
           "gradients stay as they are; accept_build=yes measures all the same",
           l->path, last, of->build);
  return PETSC_SUCCESS;
}

static PetscErrorCode check(const ledger *l, const ip_trained_of *of)
{
  IP_CHECK(!ip_plan_is_given(l->plan), IP_ERR_CONFIG,
           "%s is of infoplane estimate and has no weights: measure the activations again with "
           "it",
           l->path);
  IP_CHECK(l->plan->shares <= 1, IP_ERR_CONFIG,
           "%s is share %zu/%zu of a study, and which runs a share has depends on what their "
           "columns cost: join the shares with infoplane merge, and measure the whole",
           l->path, l->plan->share, l->plan->shares);
  PetscCall(check_weights(l));
  PetscCall(check_data(l, of->plan));
  PetscCall(check_runs(l, of->plan));
  return check_builds(l, of);
}

/* ---- open, prove, get ------------------------------------------------------------------------------ */

static PetscErrorCode open_runs(const ip_trained_of *of, ip_trained_runs *r)
{
  PetscCall(ip_text_copy(of->path, &r->path));
  PetscCall(ledger_open(r->path, &r->l));
  PetscCall(check(&r->l, of));
  ip_seals_begin(r->l.plan, &r->seals);
  PetscCall(ip_seals_open(r->l.file, r->path, &r->seals));
  return ip_record_create(r->l.plan, &r->buffer);
}

PetscErrorCode ip_trained_open(const ip_trained_of *of, ip_trained_runs **runs)
{
  ip_trained_runs *r = NULL;

  ip_h5_begin();
  PetscCall(IP_ALLOCATE(1, &r));
  r->l.file = -1;
  ip_seals_begin(NULL, &r->seals);
  const PetscErrorCode code = open_runs(of, r);

  if (code)
    ip_trained_close(&r);
  else
    *runs = r;
  return code;
}

void ip_trained_close(ip_trained_runs **runs)
{
  ip_trained_runs *r = *runs;

  if (!r) return;
  ip_record_destroy(&r->buffer);
  ip_seals_close(&r->seals);
  ledger_close(&r->l);
  ip_release(&r->path);
  ip_release(runs);
}

PetscErrorCode ip_trained_prove(ip_trained_runs *runs, size_t run, int8_t *status)
{
  ip_status held = IP_STATUS_PENDING;
  bool damaged = false;

  runs->buffer->run = run;
  PetscCall(ip_seals_prove(&runs->seals, runs->buffer, &held, &damaged));
  *status = (int8_t)(damaged ? (int)IP_FOUND_DAMAGED : (int)held);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_trained_get(void *context, ip_record *record)
{
  ip_trained_runs *runs = context;
  int8_t status = 0;

  PetscCall(ip_trained_prove(runs, record->run, &status));
  IP_CHECK(status == IP_STATUS_DONE || status == IP_STATUS_DIVERGED, IP_ERR_IO,
           "%s: run %d does not read as it did when this job began: somebody changes the file, "
           "or its disk is damaged",
           runs->path, (int)runs->l.plan->run[record->run].number);
  for (size_t f = 0; f < IP_FIELDS; f++) {
    const ip_field *field = ip_field_row(f);
    const size_t bytes = ip_field_length(runs->l.plan, f) * ip_number_size(field->type);

    if (bytes > 0 && !is_of_columns(field))
      memcpy(record->array[f], runs->buffer->array[f], bytes);
  }
  record->status = (ip_status)status;
  return PETSC_SUCCESS;
}
