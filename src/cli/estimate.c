/* infoplane estimate: activations of a network that was trained elsewhere.

   The file becomes an input like any other: a data set whose layers are there, so that all that `run`
   does with a study (lock, resume, checksum, ranks) is done here by the same code. */

#include "cli.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_UNITS = 65536 }; /* as network.hidden */

/* ---- the input --------------------------------------------------------------------------------------- */

/* Keys whose values the file itself has, or that are of no use here. */
static const struct {
  const char *key, *why;
} refused[] = {
    {"dataset",       "is what ACTS is: name the file"                          },
    {"network",       "is what the file has layers of"                          },
    {"look",          "is what `epoch` of the file says"                        },
    {"repeat",        "is about training"                                       },
    {"share",         "is about runs, of which there is one"                    },
    {"checkpoint",    "is about training: an epoch that is given up begins anew"},
    {"ranks_per_run", "is about runs: every rank measures epochs of its own"    },
};

static PetscErrorCode check_settings(const arguments *a)
{
  for (size_t i = 0; i < a->n_settings; i++)
    for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
      const size_t length = strlen(refused[k].key);
      const bool same = strncmp(a->setting[i], refused[k].key, length) == 0 &&
                        strchr(".=", a->setting[i][length]) != NULL;

      IP_CHECK(!same, IP_ERR_CONFIG, "%s: %s %s", a->setting[i], refused[k].key,
               refused[k].why);
    }
  return PETSC_SUCCESS;
}

static PetscErrorCode add_list(ip_text *text, size_t n, const int32_t number[])
{
  for (size_t i = 0; i < n; i++)
    PetscCall(ip_text_add(text, "%s%d", i == 0 ? "[" : ", ", (int)number[i]));
  return ip_text_add(text, "]");
}

static PetscErrorCode write_input(const arguments *a, const ip_activations *found,
                                  ip_text *text)
{
  const ip_value path = {.word = -1, .string = a->operand};

  for (size_t l = 0; l < found->n_layers; l++)
    IP_CHECK(found->width[l] <= MOST_UNITS, IP_ERR_CONFIG,
             "%s: layer_%zu has %d units; at most %d are measured", a->operand, l + 1,
             (int)found->width[l], (int)MOST_UNITS);
  PetscCall(ip_text_add(text, "dataset: {name: activations, path: "));
  PetscCall(ip_value_format(ip_option_row(IP_KEY_DATASET_PATH), &path, text));
  PetscCall(ip_text_add(text, "}\nnetwork: {hidden: "));
  PetscCall(add_list(text, found->n_layers, found->width));
  PetscCall(ip_text_add(text, "}\nlook: "));
  PetscCall(add_list(text, found->n_epochs, found->epoch));
  return ip_text_add(text, "\n");
}

/* `on` needs to be told which samples trained. */
static PetscErrorCode check_columns(const arguments *a, const input *in)
{
  const ip_block *block = &in->options->block[0];
  const ip_split *split = &in->activations->split;

  for (size_t c = 0; c < block->n_columns; c++) {
    const ip_column *column = &block->column[c];
    const bool known = column->on == IP_ON_FULL ||
                       (column->on == IP_ON_TRAIN ? split->n_train : split->n_test) > 0;

    IP_CHECK(known, IP_ERR_CONFIG,
             "column %s measures the %s samples, but %s has no list %s of their numbers",
             column->name, ip_on_name(column->on), a->operand, ip_on_name(column->on));
  }
  return PETSC_SUCCESS;
}

/* HDF5 would change what it is to read. */
static PetscErrorCode check_output(const arguments *a, const input *in)
{
  struct stat from, to;
  char *path = NULL;

  PetscCall(output_path(a, in->options, &path));
  const bool same = stat(a->operand, &from) == 0 && stat(path, &to) == 0 &&
                    from.st_dev == to.st_dev && from.st_ino == to.st_ino;

  ip_release(&path);
  IP_CHECK(!same, IP_ERR_CONFIG, "%s holds the activations: give another results file with -o",
           a->operand);
  return PETSC_SUCCESS;
}

static PetscErrorCode read_activations(const arguments *a, input *in)
{
  ip_text text = {0};

  IP_CHECK(
      a->operand, IP_ERR_USAGE,
      "estimate needs a file of activations: infoplane estimate ACTS.h5 [key=value ...] [-o "
      "FILE.h5]");
  IP_CHECK(a->n_more == 0, IP_ERR_USAGE, "estimate measures one file, and %s is another",
           a->more[0]);
  PetscCall(check_settings(a));
  PetscCall(ip_activations_probe(a->operand));
  PetscCall(ip_activations_open(a->operand, &in->activations));
  PetscCall(ip_text_copy(a->operand, &in->name));
  const PetscErrorCode code = write_input(a, in->activations, &text);

  in->text = text.text;
  in->length = text.length;
  PetscCall(code);
  PetscCall(input_parse(a, in));
  PetscCall(check_columns(a, in));
  return check_output(a, in);
}

int verb_estimate(const arguments *a)
{
  return conduct_study(a, read_activations, false);
}

/* ---- what would mislead -------------------------------------------------------------------------------- */

PetscErrorCode warn_of_input(const input *in)
{
  const ip_dataset *data = in->data->set[0];
  const double most = log2((double)data->n);
  ip_entropies h;

  PetscCall(ip_dataset_entropies(data, data->y, data->n, NULL, &h));
  if (in->activations->rounds)
    fprintf(stderr,
            "warning: layers in float64 are measured as float32: what differs by less than "
            "1e-7 of its size counts as equal\n");
  if (!in->activations->has_inputs)
    fprintf(stderr,
            "warning: the file has neither x_id nor layer_0: all %zu inputs are taken as "
            "different\n",
            data->n);
  else if (h.h_x < most - 1e-9)
    fprintf(stderr,
            "warning: some of the %zu inputs are equal: I(X;T) is at most H(X) = %.6f bit, not "
            "log2 %zu = %.6f\n",
            data->n, h.h_x, data->n, most);
  return PETSC_SUCCESS;
}

/* One column of one layer over all looks. */
typedef struct {
  size_t unique, looks; /* looks at which every sample is alone; all */
  double clipped;       /* largest share of activations outside the range */
} doubts;

static doubts look_through(const input *in, const ip_record *record, size_t column,
                           size_t layer)
{
  const ip_plan *plan = in->plan;
  const ip_split *split = &in->activations->split;
  const size_t n[IP_ONS] = {in->data->set[0]->n, split->n_train, split->n_test};
  const double most = log2((double)n[plan->column[column].on]);
  doubts d = {.looks = plan->n_epochs};

  for (size_t e = 0; e < plan->n_epochs; e++) {
    const size_t at = (column * plan->n_epochs + e) * plan->n_layers + layer;
    const double i_xt = ((const double *)record->array[IP_FIELD_i_xt])[at],
                 clipped =
                     (double)((const float *)record->array[IP_FIELD_clipped_fraction])[at];

    d.unique += (size_t)(i_xt > most - 1e-9);
    if (clipped > d.clipped) d.clipped = clipped;
  }
  return d;
}

/* ", layer 2 (3 of 4 epochs)" for each layer of a column that has such looks. */
static PetscErrorCode list_layers(const input *in, const ip_record *record, size_t column,
                                  ip_text *unique, ip_text *clipped)
{
  for (size_t l = 0; l < in->plan->n_layers; l++) {
    const doubts d = look_through(in, record, column, l);

    if (d.unique > 0)
      PetscCall(ip_text_add(unique, "%slayer %zu (%zu of %zu epochs)",
                            unique->length ? ", " : "", l + 1, d.unique, d.looks));
    if (d.clipped > 0.0)
      PetscCall(ip_text_add(clipped, "%slayer %zu (up to %.3g %%)", clipped->length ? ", " : "",
                            l + 1, 100.0 * d.clipped));
  }
  return PETSC_SUCCESS;
}

PetscErrorCode warn_of_numbers(const input *in, const ip_record *record)
{
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t c = 0; c < in->plan->n_columns && !code; c++) {
    const ip_column *column = &in->plan->column[c];
    ip_text unique = {0}, clipped = {0};

    code = list_layers(in, record, c, &unique, &clipped);
    if (!code && unique.text && column->estimator->cells)
      fprintf(
          stderr,
          "warning: %s: every sample has a cell of its own in %s: there I(X;T) = log2 N and "
          "I(T;Y) = H(Y) by construction and say nothing; use fewer bins or more samples\n",
          column->name, unique.text);
    if (!code && clipped.text)
      fprintf(
          stderr,
          "warning: %s: activations outside the range of the bins, which count in the end "
          "bins, "
          "in %s: where activations are unbounded choose range: snapshot, run or [low, high]\n",
          column->name, clipped.text);
    ip_text_clear(&unique);
    ip_text_clear(&clipped);
  }
  fflush(stderr);
  return code;
}
