/* The manual page infoplane(1): the tables in the language of man(7). */

#include "cli.h"
#include <infoplane/dataset.h>
#include <infoplane/view.h>
#include <infoplane_build.h>
#include <string.h>

/* Letters that mean something to roff, written so that they mean themselves. */
static void put(const char *text)
{
  if (*text == '.' || *text == '\'') fputs("\\&", stdout);
  for (const char *c = text; *c; c++) switch (*c) {
    case '\\':
      fputs("\\e", stdout);
      break;
    case '-':
      fputs("\\-", stdout);
      break;
    case '~':
      fputs("\\(ti", stdout);
      break;
    case '^':
      fputs("\\(ha", stdout);
      break;
    default:
      putchar(*c);
    }
}

/* A term in bold, and what it means. */
static void put_term(const char *term, const char *value, const char *meaning)
{
  fputs(".TP\n\\fB", stdout);
  put(term);
  fputs("\\fR", stdout);
  if (value) {
    fputs(" \\fI", stdout);
    put(value);
    fputs("\\fR", stdout);
  }
  putchar('\n');
  put(meaning);
  putchar('\n');
}

static void put_more(const char *label, const char *text)
{
  if (!text) return;
  fputs(".br\n", stdout);
  put(label);
  put(text);
  putchar('\n');
}

static void put_verbs(void)
{
  puts(".SH VERBS");
  for (size_t i = 0; verb_row(i); i++) {
    const verb *v = verb_row(i);

    put_term(v->usage, NULL, v->sentence);
    for (size_t o = 0; option_of(o); o++)
      if (strcmp(option_of(o)->verb, v->name) == 0) {
        fputs(".RS\n", stdout);
        put_term(option_of(o)->name, option_of(o)->value, option_of(o)->sentence);
        fputs(".RE\n", stdout);
      }
  }
  puts(".SH OPTIONS");
  put_term("-o", "FILE", "results file; of figures: the folder, of bound: a table");
  put_term("-q", NULL, "say nothing but what went wrong");
  put_term("-v", NULL, "say where an error came from");
  put_term("-petsc_X", "[VALUE]", "option X of PETSc, after the input file");
  put_term("--help", NULL, "help; of the verb that stands before it");
  put_term("--version", NULL, "versions of everything");
}

static void put_key(const ip_parameter *row)
{
  ip_text words = {0};

  put_term(row->key, NULL, row->sentence);
  if (row->choice && ip_names_list(row->choice, &words) == PETSC_SUCCESS)
    put_more(row->type == IP_CHOICE ? "one of: " : "or: ", words.text);
  put_more("default: ", row->initial);
  put_more("in the file: ", row->coordinate);
  put_more("source: ", row->reference);
  ip_text_clear(&words);
}

static void put_keys(void)
{
  const ip_estimator *e;

  puts(".SH KEYS OF AN INPUT FILE\nYAML: sections nest or are dotted, and a list of values "
       "spans "
       "an axis of the grid.\nOn the command line key=value overrides.");
  for (size_t key = 0; ip_option_row(key); key++) put_key(ip_option_row(key));
  for (size_t i = 0; (e = ip_estimator_row(i)) != NULL; i++) {
    printf(".SS Estimator ");
    put(e->name);
    puts("");
    put(e->sentence);
    puts("");
    put_more("source: ", e->reference);
    for (const ip_parameter *p = e->parameter; p->key; p++) put_key(p);
  }
  puts(".SS Data sets");
  for (size_t i = 0; ip_dataset_row(i); i++)
    put_term(ip_dataset_name(i), NULL, ip_dataset_row(i)->sentence);
}

static void put_results(void)
{
  const char *code, *meaning;

  puts(".SH FIGURES AND TABLES");
  for (size_t i = 0; ip_view_topic(i); i++)
    put_term(ip_view_topic(i), NULL, ip_view_sentence(i));
  puts(".SH VARIABLES OF A RESULTS FILE\nHDF5 that is also netCDF\\-4. "
       "\\fBinfoplane explain\\fR \\fIVARIABLE\\fR tells more.");
  for (size_t i = 0; ip_variable_name(i); i++)
    put_term(ip_variable_name(i), NULL, ip_variable_sentence(i));
  puts(".SH EXIT STATUS");
  for (size_t i = 0; exit_row(i, &code, &meaning); i++) put_term(code, NULL, meaning);
}

static void put_files(void)
{
  puts(".SH FILES");
  put_term("FILE.h5.lock", NULL, "who writes the file; removed at the end");
  put_term("FILE.h5.ckpt", NULL, "runs in progress; removed when all is done");
  put_term("FILE.h5.stop", NULL, "made by a person: the job stops cleanly");
  put_term("~/.cache/infoplane/HOST.yaml", NULL,
           "speeds of a machine, by infoplane plan --calibrate");
  puts(".SH REFERENCES\nR. Shwartz\\-Ziv and N. Tishby, \\fIOpening the Black Box of Deep "
       "Neural "
       "Networks via Information\\fR,\narXiv:1703.00810.\n"
       ".SH SEE ALSO\n.BR mpirun (1),\n.BR h5dump (1),\n.BR ncdump (1)");
}

void print_manual(void)
{
  puts(".TH INFOPLANE 1 \"\" \"infoplane " IP_VERSION "\" \"User Commands\"");
  puts(".SH NAME\ninfoplane \\- layers of neural networks in the information plane");
  puts(".SH SYNOPSIS\n.B infoplane\n.I VERB\n[\\fIOPERAND\\fR]\n[\\fIkey\\fR=\\fIvalue\\fR "
       "...]\n"
       "[\\fB\\-o\\fR \\fIFILE\\fR]\n.br\n.B mpirun \\-n\n.I N\n.B infoplane run\n.I "
       "INPUT.yaml");
  puts(
      ".SH DESCRIPTION\nTrains many small networks, one or more on each MPI rank, and measures "
      "the "
      "mutual information\nof every layer with input and label. All results go to one parallel "
      "HDF5 file.");
  put_verbs();
  put_keys();
  put_results();
  put_files();
}
