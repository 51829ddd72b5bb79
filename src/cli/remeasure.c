/* infoplane remeasure: new columns of a sweep that kept its weights.

   The input is what the file says of itself, with other columns, so the new file is one that `run`
   would have made, and all that `run` does with a study is done by the same code. */

#include "cli.h"
#include <string.h>
#include <sys/stat.h>

/* ---- the input ----------------------------------------------------------------------------------- */

static PetscErrorCode check_words(const arguments *a)
{
  bool columns = false;
  struct stat from, to;

  IP_CHECK(a->operand && a->n_more == 0 && a->output, IP_ERR_USAGE,
           "remeasure needs a results file, new columns and a new file: infoplane remeasure "
           "FILE.h5 'estimate=[...]' -o NEW.h5");
  for (size_t i = 0; i < a->n_settings; i++)
    columns = columns || strncmp(a->setting[i], "estimate=", 9) == 0;
  IP_CHECK(
      columns, IP_ERR_USAGE,
      "remeasure needs the columns that shall be measured: 'estimate=[{kind: binning, bins: "
      "30}]' (all keys: infoplane help estimate)");
  IP_CHECK(stat(a->operand, &from) != 0 || stat(a->output, &to) != 0 ||
               from.st_dev != to.st_dev || from.st_ino != to.st_ino,
           IP_ERR_USAGE,
           "%s is to be measured again and stays as it is: give a new file with -o",
           a->operand);
  return PETSC_SUCCESS;
}

/* What else was said than columns and how this launch goes on would be of other runs. */
static PetscErrorCode check_settings(const ip_options *options)
{
  for (size_t b = 0; b < options->n_blocks; b++)
    for (size_t key = 0; key < IP_KEYS; key++) {
      const ip_parameter *row = ip_option_row(key);
      const bool taken = (row->scope == IP_SCOPE_LAUNCH && key != IP_KEY_CHECKPOINT) ||
                         key == IP_KEY_ON || key == IP_KEY_KDE_TOLERANCE ||
                         key == IP_KEY_REPRODUCIBLE;

      IP_CHECK(taken || options->block[b].key[key].origin != IP_ORIGIN_COMMAND_LINE,
               IP_ERR_CONFIG,
               "remeasure does not take %s: it trains nothing, and changes nothing but columns "
               "(estimate, on, kde_tolerance)",
               row->key);
    }
  return PETSC_SUCCESS;
}

/* A reproducible file does not say where its values came from. */
static bool keeps_provenance(const ip_results *file)
{
  char *text = NULL;
  const bool keeps =
      ip_results_attribute(file, "provenance", "resolved", &text) == PETSC_SUCCESS;

  if (!keeps) ip_error_clear();
  ip_release(&text);
  return keeps;
}

/* Its study as an input; behind it what the birth of the file decided. */
static PetscErrorCode write_input(const ip_results *file, ip_text *text)
{
  char *config = NULL;
  PetscErrorCode code = ip_results_attribute(file, NULL, "config", &config);
  const bool reproducible = !code && !keeps_provenance(file);

  if (!code) code = ip_text_add(text, "%s", config);
  if (!code && reproducible) code = ip_text_add(text, "reproducible: yes\n");
  ip_release(&config);
  return code;
}

static PetscErrorCode read_trained(const arguments *a, input *in)
{
  ip_results *file = NULL;
  ip_text text = {0};

  PetscCall(check_words(a));
  PetscCall(ip_results_probe(a->operand));
  PetscCall(ip_text_copy(a->operand, &in->name));
  PetscCall(ip_results_open(a->operand, &file));
  const PetscErrorCode code = write_input(file, &text);

  ip_results_close(&file);
  in->text = text.text;
  in->length = text.length;
  PetscCall(code);
  PetscCall(input_parse(a, in));
  for (size_t b = 0; b < in->options->n_blocks; b++)
    IP_CHECK(!ip_block_is_given(&in->options->block[b]), IP_ERR_CONFIG,
             "%s is of infoplane estimate and has no weights: measure the activations again "
             "with it",
             a->operand);
  return check_settings(in->options);
}

int verb_remeasure(const arguments *a)
{
  return conduct_study(a, read_trained, true);
}

/* ---- which runs can be ---------------------------------------------------------------------------- */

PetscErrorCode prove_trained(const launch *l, ip_trained_runs *runs, const ip_plan *plan,
                             int8_t there[])
{
  for (size_t r = 0; r < plan->n_runs; r++) there[r] = 0;
  for (size_t r = (size_t)l->rank; r < plan->n_runs; r += (size_t)l->size)
    PetscCall(ip_trained_prove(runs, r, &there[r]));
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, there, (int)plan->n_runs, MPI_INT8_T, MPI_MAX, l->comm));
  return PETSC_SUCCESS;
}

bool is_trained(int8_t status)
{
  return status == IP_STATUS_DONE || status == IP_STATUS_DIVERGED;
}

PetscErrorCode say_untrained(const char *path, const ip_plan *plan, const int8_t there[])
{
  static const struct {
    int8_t status;
    const char *words;
  } kind[] = {
      {IP_STATUS_PENDING, "not finished"             },
      {IP_STATUS_FAILED,  "failed"                   },
      {IP_FOUND_DAMAGED,  "damaged (infoplane check)"},
  };
  ip_findings found = {.n_runs = plan->n_runs, .status = (int8_t *)there};

  PetscCall(IP_ALLOCATE(plan->n_runs, &found.number));
  for (size_t r = 0; r < plan->n_runs; r++) found.number[r] = plan->run[r].number;
  for (size_t k = 0; k < sizeof kind / sizeof kind[0]; k++) {
    if (count_found(&found, kind[k].status) == 0) continue;
    fprintf(stderr, "warning: %s: these runs are %s there and stay pending here:", path,
            kind[k].words);
    list_runs(stderr, &found, kind[k].status);
    fputs("\n", stderr);
  }
  ip_release(&found.number);
  return PETSC_SUCCESS;
}
