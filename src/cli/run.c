/* infoplane run: the experiment. */

#include "cli.h"
#include <infoplane_build.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 5 }; /* seconds that ranks of a killed job may live on */

/* What an experiment holds while it runs. */
typedef struct {
  const arguments *a;
  double started; /* seconds_now */
  launch launch;
  input in;
  char *path;
  bool created;
  ip_lock *lock;
  ip_store *store;
  uint64_t token; /* of the lock */
  ip_archives *archives;
  ip_archive archive;
  bool again; /* nothing is trained: runs of another file are measured again */
  ip_trained_runs *trained_runs;
  ip_trained trained;
  int8_t *there;  /* shape (runs): what that file proves of them; or NULL */
  size_t missing; /* runs that it has not, and that are left */
  ip_checkpoints *checkpoints;
  ip_keeper keeper;
  size_t begun;   /* runs with a checkpoint, rank 0 */
  int8_t *status; /* shape (runs) */
  size_t damaged;
  int32_t *todo; /* shape (n_todo) */
  size_t n_todo, named_and_done;
  progress progress; /* rank 0 */
  ip_busy busy[2];   /* ranks that train, their assistants */
  double predicted;  /* seconds of this launch, rank 0; 0: the machine is not calibrated */
  double *seconds;   /* shape (runs), rank 0: predicted, of each run; or NULL */
  ip_text json, provenance;
  char build[64]; /* what numbers depend on: two files of one build are equal */
} experiment;

static const ip_value *launch_value(const experiment *x, ip_key key)
{
  return ip_options_value(x->in.options, 0, key);
}

/* ---- opening ------------------------------------------------------------------------------------- */

static int kept_ranks(const experiment *x)
{
  return checkpointing_ranks(x->in.plan, (size_t)x->launch.size);
}

static ip_store_origin origin_of(const experiment *x)
{
  return (ip_store_origin){
      .beside = ip_checkpoints_size(x->in.plan, kept_ranks(x)),
      .version = IP_VERSION,
      .commit = IP_COMMIT,
      .build = x->build,
      .launch_json = x->json.text ? x->json.text : "",
      .provenance_yaml = x->provenance.text,
      .reproducible = launch_value(x, IP_KEY_REPRODUCIBLE)->integer != 0,
      .accept_build = launch_value(x, IP_KEY_ACCEPT_BUILD)->integer != 0,
  };
}

/* Rank 0 alone: take the lock, make the file or check the one that stands. */
static PetscErrorCode prepare_file(experiment *x)
{
  const ip_store_origin origin = origin_of(x);

  PetscCall(ip_lock_take(x->path, launch_value(x, IP_KEY_BREAK_LOCK)->integer != 0, PATIENCE,
                         &x->lock));
  if (access(x->path, F_OK) != 0) PetscCall(ip_archives_check(x->path, x->in.plan));
  return ip_store_prepare(x->path, x->in.plan, &origin, &x->created);
}

/* Layers multiplied by OpenBLAS give other bits with another kernel: it is part of the build then,
   and ranks must have the same. */
static PetscErrorCode name_build(experiment *x)
{
  char own[40] = "", first[40];
  bool wanted = false;

  for (size_t r = 0; r < x->in.plan->n_runs; r++)
    wanted =
        wanted || (x->in.plan->run[r].value[IP_KEY_NETWORK_BLAS] &&
                   x->in.plan->run[r].value[IP_KEY_NETWORK_BLAS]->word == IP_BLAS_OPENBLAS);
  snprintf(x->build, sizeof x->build, "%s", IP_BUILD);
  if (!wanted) return PETSC_SUCCESS;
  snprintf(own, sizeof own, "%s", ip_blas_kernel());
  memcpy(first, own, sizeof first);
  PetscCallMPI(MPI_Bcast(first, sizeof first, MPI_CHAR, 0, x->launch.comm));
  IP_CHECK(strcmp(own, first) == 0, IP_ERR_ENVIRONMENT,
           "rank %d has OpenBLAS kernel %s, rank 0 has %s: results would differ; use "
           "network.blas=own",
           x->launch.rank, own, first);
  snprintf(x->build, sizeof x->build, "%s %s", IP_BUILD, own);
  return PETSC_SUCCESS;
}

/* The file whose runs are measured again: rank 0 finds what is wrong with it. */
static PetscErrorCode open_trained(experiment *x)
{
  const ip_trained_of of = {.path = x->a->operand,
                            .plan = x->in.plan,
                            .build = x->build,
                            .accept_build = launch_value(x, IP_KEY_ACCEPT_BUILD)->integer != 0};
  PetscErrorCode code = PETSC_SUCCESS;

  if (!x->again) return PETSC_SUCCESS;
  if (x->launch.rank == 0) code = ip_trained_open(&of, &x->trained_runs);
  PetscCall(launch_agree(&x->launch, code));
  if (x->launch.rank != 0) PetscCall(ip_trained_open(&of, &x->trained_runs));
  x->trained = (ip_trained){.context = x->trained_runs, .get = ip_trained_get};
  PetscCall(IP_ALLOCATE(x->in.plan->n_runs, &x->there));
  return prove_trained(&x->launch, x->trained_runs, x->in.plan, x->there);
}

static PetscErrorCode open_file(experiment *x)
{
  PetscErrorCode code = PETSC_SUCCESS;

  PetscCall(ip_options_provenance(x->in.options, &x->provenance));
  PetscCall(launch_json(&x->launch, x->a, &x->json));
  PetscCall(name_build(x));
  PetscCall(open_trained(x));
  if (x->launch.rank == 0) code = prepare_file(x);
  PetscCall(launch_agree(&x->launch, code));

  const ip_store_origin origin = origin_of(x);

  code = ip_store_open(x->launch.comm, x->path, x->in.plan, &origin, &x->store);
  x->launch.together = code == (PetscErrorCode)IP_ERR_CONFIG; /* rank 0 has the words */
  PetscCall(code);
  if (x->launch.rank == 0) x->token = ip_lock_token(x->lock);
  PetscCallMPI(MPI_Bcast(&x->token, 1, MPI_UINT64_T, 0, x->launch.comm));
  PetscCall(ip_store_guard(x->store, x->token));
  PetscCall(IP_ALLOCATE(x->in.plan->n_runs, &x->status));
  return ip_store_verify_all(x->store, x->status, &x->damaged);
}

/* This launch's file of checkpoints, with those of unfinished runs from the launch before. */
static PetscErrorCode open_checkpoints(experiment *x)
{
  const ip_value *every = launch_value(x, IP_KEY_CHECKPOINT);
  const ip_checkpoints_of of = {.path = x->path,
                                .plan = x->in.plan,
                                .build = x->build,
                                .token = x->token,
                                .rank = x->launch.rank / (int)ranks_per_run(x->in.plan),
                                .ranks = kept_ranks(x)};
  PetscErrorCode code = PETSC_SUCCESS;

  if (x->n_todo == 0 || ip_plan_is_given(x->in.plan) || x->again) return PETSC_SUCCESS;
  if (x->launch.rank == 0) code = ip_checkpoints_prepare(&of, x->status, &x->begun);
  PetscCall(launch_agree(&x->launch, code));
  PetscCall(ip_checkpoints_open(&of, &x->checkpoints));
  x->keeper = (ip_keeper){.context = x->checkpoints,
                          .seconds = every->word >= 0 ? (double)INFINITY : every->real,
                          .save = ip_checkpoints_save,
                          .load = ip_checkpoints_load,
                          .share = ip_checkpoints_share};
  return PETSC_SUCCESS;
}

/* What keeps activations, where a study asks for it. */
static PetscErrorCode open_archives(experiment *x)
{
  PetscCall(ip_archives_create(x->path, x->token, &x->archives));
  x->archive = (ip_archive){.context = x->archives,
                            .begin = ip_archives_begin,
                            .put = ip_archives_put,
                            .end = ip_archives_end};
  return PETSC_SUCCESS;
}

/* ---- which runs ------------------------------------------------------------------------------------ */

static bool listed(const ip_value *only, int32_t number)
{
  for (size_t i = 0; i < only->n; i++)
    if ((int32_t)only->list[i] == number) return true;
  return false;
}

/* A file of a share has some of the numbers. */
static bool has_number(const ip_plan *plan, int32_t number)
{
  for (size_t r = 0; r < plan->n_runs; r++)
    if (plan->run[r].number == number) return true;
  return false;
}

static PetscErrorCode check_only(const ip_plan *plan, const ip_value *only)
{
  char share[IP_SHARE_TEXT];

  ip_share_name(plan, share);
  for (size_t i = 0; ip_plan_is_given(plan) && only->word < 0 && i < only->n; i++)
    IP_CHECK(has_number(plan, (int32_t)only->list[i]), IP_ERR_CONFIG,
             "only: the activations have no epoch %g", only->list[i]);
  if (ip_plan_is_given(plan)) return PETSC_SUCCESS;
  for (size_t i = 0; only->word < 0 && i < only->n; i++) {
    IP_CHECK((size_t)only->list[i] < plan->n_complete, IP_ERR_CONFIG,
             "only: there is no run %g; runs are 0 to %zu", only->list[i],
             plan->n_complete - 1);
    IP_CHECK(has_number(plan, (int32_t)only->list[i]), IP_ERR_CONFIG,
             "only: run %g is not one of share %s", only->list[i], share);
  }
  return PETSC_SUCCESS;
}

/* Pending and failed runs; diverged ones only where `only` names them. */
static PetscErrorCode list_todo(experiment *x)
{
  const ip_value *only = launch_value(x, IP_KEY_ONLY);
  const bool all = only->word >= 0;

  PetscCall(check_only(x->in.plan, only));
  ip_release(&x->todo);
  PetscCall(IP_ALLOCATE(x->in.plan->n_runs, &x->todo));
  x->n_todo = x->named_and_done = x->missing = 0;
  for (size_t r = 0; r < x->in.plan->n_runs; r++) {
    const bool open = x->status[r] == IP_STATUS_PENDING || x->status[r] == IP_STATUS_FAILED ||
                      (!all && x->status[r] == IP_STATUS_DIVERGED);

    if (!all && !listed(only, x->in.plan->run[r].number)) continue;
    if (ip_plan_is_given(x->in.plan) && x->in.plan->run[r].number < 0) continue; /* conclude */
    if (open && x->there && !is_trained(x->there[r]))
      x->missing++;
    else if (open)
      x->todo[x->n_todo++] = (int32_t)r;
    else
      x->named_and_done += !all;
  }
  return PETSC_SUCCESS;
}

/* ---- the experiment ------------------------------------------------------------------------------------ */

static standing standing_of(const experiment *x)
{
  return (standing){.in = &x->in,
                    .ranks = x->launch.size,
                    .ranks_per_run = ranks_per_run(x->in.plan),
                    .path = x->path,
                    .created = x->created,
                    .damaged = x->damaged,
                    .begun = x->begun,
                    .keeps = kept_ranks(x) > 0 && !x->again,
                    .missing = x->missing,
                    .n_todo = x->n_todo,
                    .named_and_done = x->named_and_done,
                    .status = x->status,
                    .busy = x->busy,
                    .predicted = x->predicted};
}

/* What this launch should take, of the runs and shares of runs that are left. */
static PetscErrorCode predict_launch(experiment *x, const ip_rates *rates)
{
  const size_t ranks = (size_t)x->launch.size;
  ip_times_of of = forecast_all(x->in.plan, rates);
  ip_forecast forecast = {0};
  double *done = NULL;

  PetscCall(IP_ALLOCATE(x->in.plan->n_runs, &done));
  for (size_t i = 0; x->checkpoints && i < x->n_todo; i++)
    done[x->todo[i]] = x->keeper.share(x->keeper.context, (size_t)x->todo[i]);
  of.n = x->n_todo;
  of.todo = x->todo;
  of.done = done;

  const PetscErrorCode code = forecast_launches(&of, 1, &ranks, &forecast);

  ip_release(&done);
  x->predicted = forecast.wall;
  return code;
}

/* How runs compare is known of no machine in particular too. */
static PetscErrorCode predict_runs(experiment *x, const ip_rates *rates)
{
  double *seconds = NULL;

  PetscCall(IP_ALLOCATE(x->in.plan->n_runs, &seconds));
  const PetscErrorCode code = forecast_runs(x->in.plan, rates, seconds);

  if (code)
    ip_release(&seconds);
  else
    x->seconds = seconds;
  return code;
}

/* Rank 0.  A wrong prediction costs nothing, and one that cannot be made is none. */
static void predict_quietly(experiment *x)
{
  calibration speeds = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  if (ip_plan_is_given(x->in.plan) || x->again) return; /* a model of training */
  if (x->n_todo > 0) code = calibration_read(NULL, &speeds);
  if (!code && x->n_todo > 0) code = predict_runs(x, &speeds.rates);
  if (!code && speeds.measured) code = predict_launch(x, &speeds.rates);
  if (code) ip_error_clear();
  calibration_clear(&speeds);
}

/* Rank 0. */
static PetscErrorCode begin_to_show(experiment *x)
{
  const ip_value *max_time = launch_value(x, IP_KEY_MAX_TIME);
  const standing now = standing_of(x);

  predict_quietly(x);
  if (ip_store_on_nfs(x->path))
    fprintf(stderr,
            "warning: %s lies on NFS, where neighboring writes can clobber each other; "
            "that is noticed and computed again, but costs time\n",
            x->path);
  if (!x->a->quiet) PetscCall(say_beginning(&now));
  if (ip_plan_is_given(x->in.plan)) PetscCall(warn_of_input(&x->in));
  if (x->missing > 0) PetscCall(say_untrained(x->a->operand, x->in.plan, x->there));
  return progress_begin(&(progress_of){.path = x->path,
                                       .quiet = x->a->quiet,
                                       .noun = row_noun(x->in.plan),
                                       .started = x->started,
                                       .limit = max_time->word >= 0 ? 0.0 : max_time->real,
                                       .n = x->n_todo,
                                       .lock = x->lock},
                        &x->progress);
}

static PetscErrorCode train_listed(experiment *x, bool *stopped)
{
  const ip_value *stall = launch_value(x, IP_KEY_STALL);
  const ip_sweep sweep = {.plan = x->in.plan,
                          .n = x->n_todo,
                          .todo = x->todo,
                          .activations = x->in.activations,
                          .status = x->status,
                          .sink = ip_store_put,
                          .sink_context = x->store,
                          .watch = progress_watch,
                          .watch_context = &x->progress,
                          .signaled = signals_noted,
                          .keeper = x->checkpoints ? &x->keeper : NULL,
                          .archive = &x->archive,
                          .trained = x->again ? &x->trained : NULL,
                          .predicted = x->seconds,
                          .stall = stall->word >= 0 ? 0.0 : stall->real,
                          .ranks_per_run = ranks_per_run(x->in.plan),
                          .busy = x->busy[0].ranks == 0 ? x->busy : NULL}; /* not of repairs */

  return ip_study_run(x->launch.comm, &sweep, stopped);
}

/* All looks of a file of activations as they are kept; *whole: none is left. */
static PetscErrorCode read_looks(const experiment *x, ip_record *record, bool *whole,
                                 int32_t *diverged_epoch)
{
  *whole = true;
  *diverged_epoch = -1;
  for (size_t row = 0; row + 1 < x->in.plan->n_runs && *whole; row++) {
    ip_status status = IP_STATUS_PENDING;

    record->run = row;
    PetscCall(ip_store_get(x->store, record, &status));
    *whole = status == IP_STATUS_DONE || status == IP_STATUS_DIVERGED;
    if (status == IP_STATUS_DIVERGED && *diverged_epoch < 0)
      *diverged_epoch = x->in.plan->run[row].number;
  }
  return PETSC_SUCCESS;
}

/* Rank 0: the last part of given activations, once all others are there. */
static PetscErrorCode conclude_record(experiment *x, ip_record *record)
{
  const size_t last = x->in.plan->n_runs - 1;
  int32_t diverged_epoch;
  bool whole = false;

  PetscCall(read_looks(x, record, &whole, &diverged_epoch));
  if (!whole) return PETSC_SUCCESS;
  PetscCall(warn_of_numbers(&x->in, record));
  PetscCall(ip_given_conclude(x->in.plan, x->in.activations, diverged_epoch, record));
  if (x->status[last] == (int8_t)record->status) return PETSC_SUCCESS;
  PetscCall(ip_store_put(x->store, record));
  x->status[last] = (int8_t)record->status;
  return PETSC_SUCCESS;
}

static PetscErrorCode conclude_given(experiment *x)
{
  ip_record *record = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  if (!ip_plan_is_given(x->in.plan)) return PETSC_SUCCESS;
  if (x->launch.rank == 0) {
    code = ip_record_create(x->in.plan, &record);
    if (!code) code = conclude_record(x, record);
    ip_record_destroy(&record);
  }
  return launch_agree(&x->launch, code);
}

/* Train, then read back every run of this launch; what does not fit is trained once more. */
static PetscErrorCode train_all(experiment *x, bool *stopped)
{
  PetscCall(train_listed(x, stopped));
  if (!*stopped) PetscCall(conclude_given(x));
  for (int attempt = 0; attempt < 3 && !*stopped; attempt++) {
    PetscCall(ip_store_verify_put(x->store, x->status, &x->damaged));
    if (x->damaged == 0) return PETSC_SUCCESS;
    if (x->launch.rank == 0)
      fprintf(stderr, "%zu runs did not read back as written; they are trained again\n",
              x->damaged);
    PetscCall(list_todo(x));
    PetscCall(train_listed(x, stopped));
    if (!*stopped) PetscCall(conclude_given(x));
  }
  IP_CHECK(x->damaged == 0 || *stopped, IP_ERR_IO,
           "%s: %zu runs do not read back as they were written, three times over; the disk or "
           "the file system is damaged",
           x->path, x->damaged);
  return PETSC_SUCCESS;
}

static PetscErrorCode close_file(experiment *x, bool stopped)
{
  if (x->launch.rank == 0 && !launch_value(x, IP_KEY_REPRODUCIBLE)->integer) {
    ip_text end = {0};
    PetscErrorCode code =
        ip_text_add(&end, "{\"seconds\": %.3f, \"runs\": %zu, \"stopped\": %s",
                    progress_seconds(&x->progress), x->n_todo, stopped ? "true" : "false");

    if (!code) code = busy_json(x->busy, &end);
    if (!code && x->predicted > 0.0)
      code = ip_text_add(&end, ", \"predicted_seconds\": %.3f", x->predicted);
    if (!code) code = ip_text_add(&end, "}");
    if (!code) code = ip_store_end_launch(x->store, end.text);
    ip_text_clear(&end);
    PetscCall(code);
  }
  return ip_store_close(&x->store);
}

/* Rank 0; the file is closed. */
static PetscErrorCode finish(experiment *x, bool stopped, int *exit_code)
{
  const standing now = standing_of(x);
  const size_t bad =
      count_status(&now, IP_STATUS_DIVERGED) + count_status(&now, IP_STATUS_FAILED);

  *exit_code = stopped ? x->progress.exit_code : bad + x->missing > 0;
  if (!stopped && ((x->begun == 0 && !x->again) || count_status(&now, IP_STATUS_PENDING) == 0))
    PetscCall(ip_checkpoints_remove(x->path)); /* no run that is begun is left */
  if (!stopped) return say_end(&now, x->a->quiet, progress_seconds(&x->progress));
  if (!x->a->quiet) say_stopped(&now, x->progress.last.given_up);
  return PETSC_SUCCESS;
}

static PetscErrorCode conduct(experiment *x, int *exit_code)
{
  bool stopped = false;

  PetscCall(input_share(x->launch.comm, x->a, &x->in));
  if (!x->path) PetscCall(output_path(x->a, x->in.options, &x->path));
  if (ip_plan_is_given(x->in.plan) && !x->in.activations)
    PetscCall(ip_activations_open(x->a->operand, &x->in.activations));
  PetscCall(open_file(x));

  const PetscErrorCode code = list_todo(x);

  /* the same list on every rank, the same error; memory runs out on one alone */
  x->launch.together = code == (PetscErrorCode)IP_ERR_CONFIG;
  PetscCall(code);
  PetscCall(open_checkpoints(x));
  PetscCall(open_archives(x));
  if (x->launch.rank == 0) PetscCall(begin_to_show(x));
  ip_memory_trim(); /* of all that making a file took */
  PetscCall(train_all(x, &stopped));
  if (x->launch.rank == 0) progress_end(&x->progress);
  PetscCall(close_file(x, stopped));
  if (x->launch.rank == 0) PetscCall(finish(x, stopped, exit_code));
  PetscCallMPI(MPI_Bcast(exit_code, 1, MPI_INT, 0, x->launch.comm));
  return PETSC_SUCCESS;
}

/* Before MPI: the launcher's rank 0 reads everything and finds every error. */
static PetscErrorCode read_everything(experiment *x,
                                      PetscErrorCode (*read)(const arguments *a, input *in))
{
  PetscCall(read(x->a, &x->in));
  PetscCall(input_plan(&x->in));
  PetscCall(output_path(x->a, x->in.options, &x->path));
  return access(x->path, F_OK) == 0 ? ip_results_probe(x->path) : PETSC_SUCCESS;
}

int conduct_study(const arguments *a, PetscErrorCode (*read)(const arguments *a, input *in),
                  bool trained)
{
  experiment x = {.a = a, .started = seconds_now(), .again = trained};
  int rank, size, exit_code = 0;
  PetscErrorCode code = PETSC_SUCCESS;

  launcher_place(&rank, &size);
  if (rank == 0) code = read_everything(&x, read);
  ip_memory_trim(); /* before MPI-IO has a buffer there, which it does not touch */
  signals_catch();
  if (code == PETSC_SUCCESS || size > 1) {
    const PetscErrorCode found = code;

    code = launch_begin(a, &x.launch);
    if (code == PETSC_SUCCESS) code = launch_agree(&x.launch, found);
  }
  if (code == PETSC_SUCCESS) code = conduct(&x, &exit_code);

  ip_store_close(&x.store);
  ip_checkpoints_close(&x.checkpoints);
  ip_archives_destroy(&x.archives);
  ip_trained_close(&x.trained_runs);
  ip_release(&x.there);
  ip_release(&x.progress.stop_file);
  ip_lock_release(&x.lock);
  input_clear(&x.in);
  ip_release(&x.path);
  ip_release(&x.status);
  ip_release(&x.todo);
  ip_release(&x.seconds);
  ip_text_clear(&x.json);
  ip_text_clear(&x.provenance);
  return launch_end(&x.launch, a, code, exit_code);
}

int verb_run(const arguments *a)
{
  return conduct_study(a, input_read, false);
}
