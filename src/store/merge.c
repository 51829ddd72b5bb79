/* Shares joined to one file, and a file grown to a bigger plan: both copy proven runs. */

#include "gather.h"
#include "lock.h"
#include "slots.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* ---- merge ------------------------------------------------------------------------------------------ */

/* The two files are of one study, and of the same patterns. */
static PetscErrorCode compare_studies(const ledger *first, const ledger *l)
{
  ip_text words = {0};
  PetscErrorCode code = ip_options_difference(first->config, l->config, &words);

  if (!code && words.length > 0)
    code = ip_error_raise(IP_ERR_CONFIG, __func__,
                          "%s and %s are of two studies (the file: the first, the input: the "
                          "second):\n%sFiles of one study can be merged",
                          first->path, l->path, words.text);
  ip_text_clear(&words);
  PetscCall(code);
  for (size_t i = 0; i < l->data->n; i++)
    IP_CHECK(l->data->checksum[i] == first->data->checksum[i], IP_ERR_CONFIG,
             "%s and %s saw other patterns or labels of data set \"%s\"", first->path, l->path,
             l->data->label[i]);
  return PETSC_SUCCESS;
}

static PetscErrorCode survey(gather *g, const ledger *first, ip_text *shares)
{
  for (size_t s = 0; s < g->n; s++) {
    char share[IP_SHARE_TEXT];
    ledger l;
    PetscErrorCode code = ip_lock_refuse(g->path[s]);

    PetscCall(code);
    code = ledger_open(g->path[s], &l);
    if (!code) code = compare_studies(first, &l);
    if (!code) code = gather_survey(g, s, &l, NULL);
    if (!code) {
      ip_share_name(l.plan, share);
      code = ip_text_add(shares, " %s", share);
    }
    ledger_close(&l);
    PetscCall(code);
  }
  return PETSC_SUCCESS;
}

/* Every run stands in some file. */
static PetscErrorCode check_listed(const gather *g, const char *shares)
{
  const ip_plan *plan = g->target->plan;
  size_t missing = 0;

  for (size_t r = 0; r < plan->n_runs; r++) missing += (size_t)!g->claim[r].listed;
  IP_CHECK(missing == 0, IP_ERR_CONFIG,
           "%zu of the %zu runs of this study stand in none of the files: they hold the "
           "share%s%s; give those of the other shares too",
           missing, plan->n_runs, g->n == 1 ? "" : "s", shares);
  return PETSC_SUCCESS;
}

static PetscErrorCode join(gather *g, const ledger *first, const char *out, ip_findings *found)
{
  ip_text shares = {0};
  PetscErrorCode code = gather_begin(g);

  if (!code) code = survey(g, first, &shares);
  if (!code) code = check_listed(g, shares.text);
  if (!code) code = gather_write(g, out, false, found);
  ip_text_clear(&shares);
  return code;
}

/* Its only run cannot be shared out, and no run can join it. */
static PetscErrorCode refuse_given(const ledger *l)
{
  IP_CHECK(
      !ip_plan_is_given(l->plan), IP_ERR_CONFIG,
      "%s is of infoplane estimate and complete in itself: it can be neither merged nor grown",
      l->path);
  return PETSC_SUCCESS;
}

static PetscErrorCode merge_locked(gather *g, const char *out, ip_findings *found)
{
  ledger first, target = {.file = -1};
  struct stat about;

  IP_CHECK(lstat(out, &about) != 0 && errno == ENOENT, IP_ERR_CREATE,
           "%s stands: nothing is overwritten, choose another name", out);
  PetscErrorCode code = ledger_open(g->path[0], &first);

  if (!code) code = refuse_given(&first);
  if (!code) code = ledger_derive(&first, 0, NULL, &target);
  g->target = &target;
  if (!code) code = join(g, &first, out, found);
  gather_clear(g);
  ledger_close(&target);
  ledger_close(&first);
  return code;
}

PetscErrorCode ip_store_merge(size_t n, const char *const path[], const char *out,
                              bool accept_build, ip_findings *found)
{
  gather g = {.n = n, .path = path, .accept_build = accept_build};
  ip_lock *lock = NULL;

  IP_CHECK(n > 0, IP_ERR_USAGE, "no files to merge");
  ip_h5_begin();
  PetscCall(ip_lock_take(out, false, 0.0, &lock));
  const PetscErrorCode code = merge_locked(&g, out, found);

  ip_lock_release(&lock);
  return code;
}

/* ---- grow --------------------------------------------------------------------------------------------- */

/* Launch keys belong to a launch, and share and reproducible to the birth of a file. */
static PetscErrorCode check_settings(const ip_options *options)
{
  for (size_t key = 0; key < IP_KEYS; key++) {
    const ip_values *values = &options->block[0].key[key];
    const bool grows = ip_option_row(key)->scope != IP_SCOPE_LAUNCH &&
                       key != IP_KEY_REPRODUCIBLE && key != IP_KEY_SHARE;

    IP_CHECK(grows || values->origin != IP_ORIGIN_COMMAND_LINE, IP_ERR_USAGE,
             "grow does not take %s: it changes what is to be run, as repeat=N does",
             ip_option_row(key)->key);
  }
  return PETSC_SUCCESS;
}

/* The file would need a curve that only PETSc solves, under MPI: grow runs without both. */
static PetscErrorCode check_data(const ip_data *data)
{
  for (size_t i = 0; i < data->n; i++)
    IP_CHECK(
        !data->set[i]->p || data->assumed[i].n > 0, IP_ERR_CONFIG,
        "data set \"%s\" is new and its labels are uncertain, so its bottleneck curve would "
        "have to be solved: infoplane run does that when it makes a file, grow does not. "
        "Give the new data set an output file of its own",
        data->label[i]);
  return PETSC_SUCCESS;
}

static PetscErrorCode enlarge(gather *g, const ledger *l, ip_findings *found)
{
  int8_t *status = NULL;
  PetscErrorCode code = gather_begin(g);

  if (!code) code = IP_ALLOCATE(l->plan->n_runs, &status);
  if (!code) code = gather_survey(g, 0, l, status);
  if (!code) code = ip_checkpoints_outlast(l->path, l->plan, g->target->plan, status);
  if (!code) code = gather_write(g, l->path, true, found);
  ip_release(&status);
  return code;
}

static PetscErrorCode same_study(const ledger *l, const ledger *target, bool *same)
{
  ip_text config = {0};
  const PetscErrorCode code = ip_options_config(target->options, &config);

  if (!code) *same = strcmp(config.text, l->config) == 0;
  ip_text_clear(&config);
  return code;
}

static PetscErrorCode grow_open(const ledger *l, size_t n, const char *const setting[],
                                ip_findings *found, bool *grown)
{
  ledger target = {.file = -1};
  gather g = {.target = &target, .n = 1, .path = &l->path, .accept_build = true};
  bool same = false;

  IP_CHECK(
      l->plan->shares <= 1, IP_ERR_CONFIG,
      "%s is share %zu/%zu of a study: join the shares with infoplane merge, then grow the "
      "whole",
      l->path, l->plan->share, l->plan->shares);
  PetscErrorCode code = ledger_derive(l, n, setting, &target);

  if (!code) code = check_settings(target.options);
  if (!code) code = check_data(target.data);
  if (!code) code = same_study(l, &target, &same);
  if (!code && !same) code = enlarge(&g, l, found);
  if (!code) *grown = !same;
  gather_clear(&g);
  ledger_close(&target);
  return code;
}

PetscErrorCode ip_store_grow(const char *path, size_t n, const char *const setting[],
                             ip_findings *found, bool *grown)
{
  ip_lock *lock = NULL;
  struct stat about;
  ledger l;

  ip_h5_begin();
  IP_CHECK(lstat(path, &about) != 0 || !S_ISLNK(about.st_mode), IP_ERR_CREATE,
           "%s is a symbolic link, which the bigger file would replace: name the file itself",
           path);
  PetscCall(ip_lock_take(path, false, 0.0, &lock));
  PetscErrorCode code = ledger_open(path, &l);

  if (!code) code = refuse_given(&l);

  if (!code) code = grow_open(&l, n, setting, found, grown);
  ledger_close(&l);
  ip_lock_release(&lock);
  return code;
}
