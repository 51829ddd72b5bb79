/* The verbs, the one that only looks at a file, and how any of them ends in an error. */

#include "cli.h"
#include <stdlib.h>
#include <string.h>

static const verb table[] = {
    {"run",        "run INPUT.yaml [key=value ...] [-o FILE.h5]",
     "train and measure; continues FILE.h5 where it stands",                                                                        verb_run      },
    {"estimate",   "estimate ACTS.h5 [key=value ...] [-o FILE.h5]",
     "measures activations of any network: HDF5, .npz, folder of .npy",                                                             verb_estimate },
    {"remeasure",  "remeasure FILE.h5 'estimate=[...]' [key=value ...] -o NEW.h5",
     "new columns of a sweep that kept the weights of its looks, without training",                                                 verb_remeasure},
    {"plan",       "plan INPUT.yaml [key=value ...] [-o FILE.h5]",
     "what run would do: runs, file size, memory, time; starts nothing",                                                            verb_plan     },
    {"status",     "status FILE.h5",                                               "how far a file is, also while a job writes it", verb_status   },
    {"check",      "check FILE.h5",
     "proves every run by its checksum, names damaged and pending ones",                                                            verb_check    },
    {"merge",      "merge A.h5 B.h5 ... -o OUT.h5",
     "joins the files of all shares of a study to one",                                                                             verb_merge    },
    {"grow",       "grow FILE.h5 repeat=N [key=value ...]",
     "makes room for more runs, keeps those that are done; run trains the new ones",                                                verb_grow     },
    {"compact",    "compact FILE.h5 [replace=yes] [-o NEW.h5]",
     "a finished file, compressed and verified: FILE.compact.h5",                                                                   verb_compact  },
    {"diff",       "diff A.h5 B.h5",
     "same configuration, same runs, same numbers? else where first, and by how much",                                              verb_diff     },
    {"figures",    "figures FILE.h5 [columns=all] [-o FOLDER]",
     "the figures of the paper, tables of its studies, its claims judged",                                                          verb_figures  },
    {"report",     "report FILE.h5 [-o PAGE.html]",
     "one page that plays: the plane, loss, gradients, weights, claims",                                                            verb_report   },
    {"bound",      "bound INPUT.yaml [key=value ...] [-o FILE.csv]",
     "the information-bottleneck curve of its data sets",                                                                           verb_bound    },
    {"cite",       "cite [FILE.h5]",
     "what to cite, as BibTeX: the paper, the estimators that a file uses, this program",                                           verb_cite     },
    {"doctor",     "doctor [FOLDER]",
     "is this machine fit? MPI, parallel writing into FOLDER, locks, room, processor",                                              verb_doctor   },
    {"help",       "help [TOPIC]",
     "this help, or of a verb, key, estimator, data set, variable, figure, exit code",                                              verb_help     },
    {"explain",    "explain [VARIABLE]",
     "what a variable of a results file means and where it comes from",                                                             verb_explain  },
    {"completion", "completion bash|zsh|fish",                                     "a script that completes this command line",
     verb_completion                                                                                                                              },
};

const verb *verb_row(size_t i)
{
  return i < sizeof table / sizeof table[0] ? &table[i] : NULL;
}

const char *verb_name(size_t i)
{
  return i < sizeof table / sizeof table[0] ? table[i].name : NULL;
}

/* A message with what a terminal would obey shown as \x1b: names in it come from anywhere.  (Lines are
   ours: arguments and texts of an input have none.) */
static void print_message(const char *text)
{
  enum { LONGEST = sizeof "\\x1b" }; /* and the byte that ends it */
  char line[4096];                   /* written at once, else mpirun's own words come between */
  size_t n = 0;

  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    const bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;

    if (n + LONGEST > sizeof line) {
      fwrite(line, 1, n, stderr);
      n = 0;
    }
    if ((*c < 0x20 && *c != '\n') || *c == 0x7f || c1)
      n += (size_t)snprintf(line + n, LONGEST, "\\x%02x", (unsigned)(c1 ? *++c : *c));
    else
      line[n++] = (char)*c;
  }
  line[n++] = '\n';
  fwrite(line, 1, n, stderr);
}

int report_error(const arguments *a, PetscErrorCode code)
{
  fflush(stdout);
  if (a->verbose)
    fprintf(stderr, "  raised in %s(), code %d\n", ip_error_function(), (int)code);
  print_message(ip_error_message()[0] ? ip_error_message() : "infoplane: failed");
  return ip_error_exit_code(code);
}

/* ---- status --------------------------------------------------------------------------------------- */

/* What stands in a file. */
typedef struct {
  const char *path;
  char *share; /* NULL: the file has all runs */
  size_t count[4];
  ip_findings runs; /* as their status says, unproved */
} content;

static PetscErrorCode read_runs(const ip_results *file, content *c)
{
  const size_t parts = ip_results_axis(file, "part"), start[2] = {0, 0};
  const size_t n = parts > 1 ? parts : ip_results_axis(file, "run"),
               extent[2] = {parts > 1 ? 1 : n, parts > 1 ? n : 1},
               named = parts > 1 ? n - 1 : n; /* the last part is that of all epochs */
  double *value = NULL;

  PetscCall(IP_ALLOCATE(n, &value));
  c->runs.n_runs = n;
  c->runs.parts = parts > 1;

  PetscErrorCode code = IP_ALLOCATE(n, &c->runs.status);

  if (!code) code = IP_ALLOCATE(n, &c->runs.number);
  if (!code)
    code = ip_results_block(file, parts > 1 ? "epoch" : "run", 1, start, &named, value);
  for (size_t r = 0; r < n && !code; r++)
    c->runs.number[r] = r < named ? (int32_t)value[r] : -1;
  if (!code) code = ip_results_block(file, "status", 2, start, extent, value);
  for (size_t r = 0; r < n && !code; r++) {
    if (value[r] > 0 && value[r] < 4)
      c->runs.status[r] = (int8_t)value[r]; /* else pending: 0 */
    c->count[c->runs.status[r]]++;
  }
  ip_release(&value);
  return code;
}

/* Only files of a share say which. */
static void read_share(const ip_results *file, content *c)
{
  if (ip_results_attribute(file, "provenance", "share", &c->share) != PETSC_SUCCESS)
    ip_error_clear();
}

static void print_runs(const content *c)
{
  printf("%s:", c->path);
  if (c->share) printf(" share %s,", c->share);
  if (c->runs.parts) fputs(" parts,", stdout);
  for (size_t s = 0; s < 4; s++)
    printf("%s %zu %s", s == 0 ? "" : ",", c->count[(s + 1) % 4], ip_status_name((s + 1) % 4));
  puts("");
  if (c->count[IP_STATUS_DIVERGED] == 0) return;
  fputs("  diverged:", stdout);
  list_runs(stdout, &c->runs, IP_STATUS_DIVERGED);
  for (size_t r = 0; r < c->runs.n_runs; r++)
    if (c->runs.status[r] == IP_STATUS_DIVERGED) {
      printf("; one alone again: infoplane run INPUT 'only=[%d]' -o %s\n",
             (int)c->runs.number[r], c->path);
      break;
    }
}

/* Runs in progress, and the job that writes the file. */
static PetscErrorCode print_work(const content *c)
{
  size_t kept = 0;
  double share = 0.0;
  ip_text holder = {0};

  PetscCall(ip_checkpoints_survey(c->path, c->runs.n_runs, c->runs.status, &kept, &share));
  if (kept > 0)
    printf("  %zu run%s begun and kept in %s.ckpt, %.6g %% of %s work done\n", kept,
           kept == 1 ? " is" : "s are", c->path, 100.0 * share, kept == 1 ? "its" : "their");

  const PetscErrorCode code = ip_lock_describe(c->path, &holder);

  if (!code && holder.text)
    printf("  %s\n", holder.text);
  else if (!code && c->count[IP_STATUS_PENDING])
    puts("  no job is writing it; the command that began it continues it");
  ip_text_clear(&holder);
  return code;
}

static PetscErrorCode print_status(const char *path)
{
  ip_results *file = NULL;
  content c = {.path = path};

  PetscCall(ip_results_probe(path));
  PetscCall(ip_results_open(path, &file));

  PetscErrorCode code = read_runs(file, &c);

  if (!code) read_share(file, &c);
  ip_results_close(&file);
  if (!code) print_runs(&c);
  if (!code) code = print_work(&c);
  ip_findings_clear(&c.runs);
  ip_release(&c.share);
  return code;
}

static PetscErrorCode need_file(const arguments *a)
{
  IP_CHECK(a->operand, IP_ERR_USAGE, "status needs a results file: infoplane status FILE.h5");
  return PETSC_SUCCESS;
}

int verb_status(const arguments *a)
{
  PetscErrorCode code = need_file(a);

  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  if (code == PETSC_SUCCESS) code = print_status(a->operand);
  return code == PETSC_SUCCESS ? 0 : report_error(a, code);
}
