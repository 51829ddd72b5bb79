/* infoplane help: every topic is a row of some table, and is explained by the room that has it. */

#include "cli.h"
#include <infoplane/view.h>
#include <stdlib.h>
#include <string.h>

/* ---- verbs ---------------------------------------------------------------------------------------- */

bool verb_takes(const verb *v, takes what)
{
  static const char *const word[] = {
      [TAKES_INPUT] = "INPUT.yaml",  [TAKES_RESULTS] = ".h5",      [TAKES_TOPIC] = "TOPIC",
      [TAKES_VARIABLE] = "VARIABLE", [TAKES_KEYS] = "[key=value ", [TAKES_OUTPUT] = "-o ",
  };
  const char *from = strchr(v->usage, ' ');
  const char *found = from ? strstr(from, word[what]) : NULL;
  const char *output = from ? strstr(from, "-o ") : NULL;

  /* a results file that is read stands before the one that is written */
  return found && (what != TAKES_RESULTS || !output || found < output);
}

/* Those of one verb, below it. */
static PetscErrorCode add_options(const char *of, ip_text *text)
{
  const option_row *row;

  for (size_t i = 0; (row = option_of(i)) != NULL; i++)
    if (strcmp(row->verb, of) == 0)
      PetscCall(ip_text_add(text, "    %-16s %-8s  %s\n", row->name,
                            row->value ? row->value : "", row->sentence));
  return PETSC_SUCCESS;
}

static PetscErrorCode help_verb(const char *topic, ip_text *text)
{
  const verb *v = verb_row((size_t)ip_names_find(verb_name, topic));

  PetscCall(ip_text_add(text, "infoplane %s\n", v->usage));
  PetscCall(ip_text_wrap(text, 2, "  ", v->sentence));
  PetscCall(add_options(v->name, text));
  if (!verb_takes(v, TAKES_KEYS)) return PETSC_SUCCESS;
  return ip_text_add(text, "  infoplane help keys lists every key.\n");
}

/* ---- exit codes ------------------------------------------------------------------------------------- */

#define EXIT_TABLE(ROW)                                                                        \
  ROW(DONE, 0, "all runs are done; files are the same; nothing fails")                         \
  ROW(LEFT, 1,                                                                                 \
      "finished, but some runs failed or diverged, or are left (merge, remeasure); files "     \
      "differ (diff); "                                                                        \
      "a line fails (doctor)")                                                                 \
  IP_ERROR_TABLE(ROW)                                                                          \
  ROW(INTERRUPTED, 130, "stopped by a person (SIGINT), just as cleanly; mpirun says 1")        \
  ROW(TERMINATED, 143, "stopped by SIGTERM, just as cleanly; mpirun says 1")

static const struct {
  const char *code, *meaning;
} codes[] = {
#define ROW(name_, exit_, meaning_) {.code = #exit_, .meaning = meaning_},
    EXIT_TABLE(ROW)
#undef ROW
};

bool exit_row(size_t i, const char **code, const char **meaning)
{
  if (i >= sizeof codes / sizeof codes[0]) return false;
  *code = codes[i].code;
  *meaning = codes[i].meaning;
  return true;
}

static const char *exit_topic(size_t i)
{
  const char *code, *meaning;

  return i == 0 ? "exit" : exit_row(i - 1, &code, &meaning) ? code : NULL;
}

static PetscErrorCode help_exit(const char *topic, ip_text *text)
{
  const bool all = strcmp(topic, "exit") == 0;
  const char *code, *meaning;

  for (size_t i = 0; exit_row(i, &code, &meaning); i++)
    if (all || strcmp(code, topic) == 0) {
      char label[16];

      snprintf(label, sizeof label, all ? "  %3s  " : "exit code %s", code);
      if (!all) PetscCall(ip_text_add(text, "%s\n", label));
      PetscCall(ip_text_wrap(text, all ? 7 : 2, all ? label : "  ", meaning));
    }
  return PETSC_SUCCESS;
}

/* ---- topics ------------------------------------------------------------------------------------------- */

static const topic_kind kind[] = {
    {verb_name,        help_verb          },
    {ip_options_topic, ip_options_help    },
    {ip_view_topic,    ip_view_help       },
    {ip_variable_name, ip_variable_explain},
    {exit_topic,       help_exit          },
};
enum { KINDS = sizeof kind / sizeof kind[0] };

const char *topic_name(size_t i)
{
  for (size_t k = 0; k < KINDS; k++)
    for (size_t n = 0; kind[k].name(n); n++)
      if (i-- == 0) return kind[k].name(n);
  return NULL;
}

/* A word may be several: bound is a verb, a figure, a table and an axis. */
static PetscErrorCode add_topic(const char *topic, ip_text *text)
{
  const char *nearest = ip_names_nearest(topic_name, topic);

  if (strchr(topic, '/')) return ip_variable_explain(topic, text);
  for (size_t k = 0; k < KINDS; k++) {
    if (ip_names_find(kind[k].name, topic) < 0) continue;
    if (text->length > 0) PetscCall(ip_text_add(text, "\n"));
    PetscCall(kind[k].help(topic, text));
  }
  IP_CHECK(text->length > 0, IP_ERR_USAGE, "no help on \"%.60s\".%s%s%s", topic,
           nearest ? " Did you mean \"" : " infoplane help names what there is",
           nearest ? nearest : "", nearest ? "\"?" : "");
  return PETSC_SUCCESS;
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

static PetscErrorCode add_usage(ip_text *text)
{
  const char *of = "";

  PetscCall(ip_text_add(text, "infoplane follows the layers of neural networks through the "
                              "information plane.\n\n"));
  for (size_t i = 0; verb_row(i); i++)
    PetscCall(
        ip_text_add(text, "  infoplane %-50s %s\n", verb_row(i)->usage, verb_row(i)->sentence));
  PetscCall(ip_text_add(
      text, "\n  mpirun -n N infoplane run ...    the same on N ranks\n\n"
            "  -o FILE           results file; of figures: the folder, of bound: a table\n"
            "  -q                say nothing but what went wrong\n"
            "  -v                say where an error came from\n"
            "  -petsc_X [VALUE]  option X of PETSc, after the input file: -petsc_log_view "
            ":times.txt\n"
            "  --version         versions of everything\n\n"));
  for (size_t i = 0; option_of(i); i++) {
    if (strcmp(of, option_of(i)->verb) == 0) continue;
    of = option_of(i)->verb;
    PetscCall(ip_text_add(text, "  infoplane %s:\n", of));
    PetscCall(add_options(of, text));
  }
  return ip_text_add(text, "\n  Stop a run cleanly with: touch FILE.h5.stop, or kill -USR1 of "
                           "the program or mpirun.\n\n"
                           "  Topics: keys, every key and section of an input file "
                           "(train, train.batch, estimate, ...),\n"
                           "  estimators, data sets, figures, tables, variables of the file, "
                           "verbs, exit\n");
}

static PetscErrorCode print_help(const arguments *a, const char *topic)
{
  ip_text text = {0};
  PetscErrorCode code;

  if (a->version) {
    setenv("OMPI_MCA_io", "romio321", 0);
    code = versions_list(&text);
  } else if (topic)
    code = add_topic(topic, &text);
  else
    code = add_usage(&text);
  if (!code) fputs(text.text, stdout);
  ip_text_clear(&text);
  return code;
}

static int say(const arguments *a, const char *topic)
{
  int rank, size;

  launcher_place(&rank, &size);
  if (rank != 0) return 0;

  const PetscErrorCode code = print_help(a, topic);

  return code == PETSC_SUCCESS ? 0 : report_error(a, code);
}

int answer(const arguments *a)
{
  const bool of_help = !a->verb || strcmp(a->verb, "help") == 0;

  return say(a, of_help ? a->operand : a->verb);
}

int verb_help(const arguments *a)
{
  if (!a->option[OPTION_MAN]) return say(a, a->operand);
  print_manual();
  return 0;
}
