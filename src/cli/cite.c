/* infoplane cite: the works that a results file rests on, and this program, for BibTeX. */

#include "cli.h"
#include <infoplane_build.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a file uses ------------------------------------------------------------------------------- */

/* The file has a column of this kind. */
static PetscErrorCode has_kind(const ip_results *file, const char *kind, bool *has)
{
  const size_t n = ip_results_axis(file, "column");

  for (size_t c = 0; c < n && !*has; c++) {
    char *text = NULL;

    PetscCall(ip_results_text(file, "column_kind", c, &text));
    *has = strcmp(text, kind) == 0;
    ip_release(&text);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode uses_paper(const ip_results *file, bool *uses)
{
  (void)file;
  *uses = true;
  return PETSC_SUCCESS;
}

static PetscErrorCode uses_kde(const ip_results *file, bool *uses)
{
  return has_kind(file, "kde", uses);
}

static PetscErrorCode uses_binning(const ip_results *file, bool *uses)
{
  return has_kind(file, "binning", uses);
}

static PetscErrorCode uses_width(const ip_results *file, bool *uses)
{
  size_t axes = 0, n[IP_RESULTS_RANK];

  if (!ip_results_shape(file, "column_width", &axes, n) || axes != 1) return PETSC_SUCCESS;
  for (size_t c = 0; c < n[0] && !*uses; c++) {
    double width = (double)NAN;

    PetscCall(ip_results_block(file, "column_width", 1, (size_t[]){c}, (size_t[]){1}, &width));
    *uses = !isnan(width);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode uses_curve(const ip_results *file, bool *uses)
{
  *uses = ip_results_axis(file, "beta") > 0;
  return PETSC_SUCCESS;
}

/* ---- the works ---------------------------------------------------------------------------------------- */

static const struct {
  const char *what; /* it is cited for */
  PetscErrorCode (*uses)(const ip_results *file, bool *uses);
  const char *entry;
} work[] = {
    {.what = "the claims, and the binning estimator",
     .uses = uses_paper,
     .entry = "@misc{shwartzziv2017opening,\n"
              "  author = {Shwartz-Ziv, Ravid and Tishby, Naftali},\n"
              "  title = {Opening the Black Box of Deep Neural Networks via Information},\n"
              "  year = {2017},\n"
              "  eprint = {1703.00810},\n"
              "  archivePrefix = {arXiv}\n"
              "}\n"},
    {.what = "the bounds of the estimator kde",
     .uses = uses_kde,
     .entry = "@article{kolchinsky2017estimating,\n"
              "  author = {Kolchinsky, Artemy and Tracey, Brendan D.},\n"
              "  title = {Estimating Mixture Entropy with Pairwise Distances},\n"
              "  journal = {Entropy},\n"
              "  volume = {19},\n"
              "  number = {7},\n"
              "  pages = {361},\n"
              "  year = {2017},\n"
              "  doi = {10.3390/e19070361},\n"
              "  eprint = {1706.02419},\n"
              "  archivePrefix = {arXiv}\n"
              "}\n"},
    {.what = "the plug-in bias that stands beside binned numbers",
     .uses = uses_binning,
     .entry = "@article{treves1995upward,\n"
              "  author = {Treves, Alessandro and Panzeri, Stefano},\n"
              "  title = {The Upward Bias in Measures of Information Derived from Limited Data "
              "Samples},\n"
              "  journal = {Neural Computation},\n"
              "  volume = {7},\n"
              "  number = {2},\n"
              "  pages = {399--407},\n"
              "  year = {1995},\n"
              "  doi = {10.1162/neco.1995.7.2.399}\n"
              "}\n"},
    {.what = "bins of a fixed width",
     .uses = uses_width,
     .entry = "@article{saxe2019information,\n"
              "  author = {Saxe, Andrew M. and Bansal, Yamini and Dapello, Joel and Advani, "
              "Madhu and Kolchinsky, Artemy and Tracey, Brendan D. and Cox, David D.},\n"
              "  title = {On the Information Bottleneck Theory of Deep Learning},\n"
              "  journal = {Journal of Statistical Mechanics: Theory and Experiment},\n"
              "  volume = {2019},\n"
              "  number = {12},\n"
              "  pages = {124020},\n"
              "  year = {2019},\n"
              "  doi = {10.1088/1742-5468/ab3985}\n"
              "}\n"},
    {.what = "the information-bottleneck curve",
     .uses = uses_curve,
     .entry = "@misc{tishby2000information,\n"
              "  author = {Tishby, Naftali and Pereira, Fernando C. and Bialek, William},\n"
              "  title = {The Information Bottleneck Method},\n"
              "  year = {2000},\n"
              "  eprint = {physics/0004057},\n"
              "  archivePrefix = {arXiv}\n"
              "}\n"},
};

static PetscErrorCode add_works(const ip_results *file, ip_text *text)
{
  for (size_t i = 0; i < sizeof work / sizeof work[0]; i++) {
    bool uses = !file;

    if (file) PetscCall(work[i].uses(file, &uses));
    if (uses) PetscCall(ip_text_add(text, "%% %s\n%s\n", work[i].what, work[i].entry));
  }
  return PETSC_SUCCESS;
}

/* ---- the program ---------------------------------------------------------------------------------------- */

/* Of the program that began the file, or this one. */
static PetscErrorCode add_program(const char *version, const char *commit, ip_text *text)
{
  return ip_text_add(text,
                     "%% the program\n"
                     "@misc{infoplane,\n"
                     "  author = {{The infoplane developers}},\n"
                     "  title = {infoplane: Layers of Neural Networks in the Information "
                     "Plane},\n"
                     "  howpublished = {Computer program},\n"
                     "  note = {Version %s, commit %s}\n"
                     "}\n",
                     version, commit);
}

static PetscErrorCode cite_file(const char *path, ip_text *text)
{
  ip_results *file = NULL;
  char *version = NULL, *commit = NULL;

  PetscCall(ip_results_probe(path));
  PetscCall(ip_results_open(path, &file));
  PetscErrorCode code = add_works(file, text);

  if (!code) code = ip_results_attribute(file, "provenance", "version", &version);
  if (!code) code = ip_results_attribute(file, "provenance", "commit", &commit);
  if (!code) code = add_program(version, commit, text);
  ip_release(&version);
  ip_release(&commit);
  ip_results_close(&file);
  return code;
}

static PetscErrorCode cite(const arguments *a, ip_text *text)
{
  IP_CHECK(a->n_settings == 0 && !a->output, IP_ERR_USAGE,
           "cite needs a results file or nothing: infoplane cite FILE.h5");
  if (a->operand) return cite_file(a->operand, text);
  PetscCall(add_works(NULL, text));
  return add_program(IP_VERSION, IP_COMMIT, text);
}

int verb_cite(const arguments *a)
{
  int rank, size;
  ip_text text = {0};

  launcher_place(&rank, &size);
  if (rank != 0) return 0;
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);

  const PetscErrorCode code = cite(a, &text);

  if (!code) fputs(text.text, stdout);
  ip_text_clear(&text);
  return code == PETSC_SUCCESS ? 0 : report_error(a, code);
}
