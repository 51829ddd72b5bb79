/* Columns that differ in the range of their bins alone. */

#include "contrast.h"
#include <math.h>
#include <string.h>

/* Text i of a variable is this word; false where the file does not have it. */
static PetscErrorCode has_text(const sweep *s, const char *name, size_t i, const char *word,
                               bool *has)
{
  char *text = NULL;

  *has = false;
  if (!sweep_has(s, name)) return PETSC_SUCCESS;
  PetscCall(ip_results_text(s->file, name, i, &text));
  *has = strcmp(text, word) == 0;
  ip_release(&text);
  return PETSC_SUCCESS;
}

/* As many bins by the same rule on the same patterns. */
static PetscErrorCode same_bins(const sweep *s, size_t c, size_t d, bool *same)
{
  const size_t at_c[1] = {c}, at_d[1] = {d}, one[1] = {1};
  double of_c = NAN, of_d = NAN;
  char *rule = NULL;

  *same = false;
  if (strcmp(s->column_on[c], s->column_on[d]) != 0 || !sweep_has(s, "column_bins"))
    return PETSC_SUCCESS;
  PetscCall(ip_results_block(s->file, "column_bins", 1, at_c, one, &of_c));
  PetscCall(ip_results_block(s->file, "column_bins", 1, at_d, one, &of_d));
  if (of_c != of_d) return PETSC_SUCCESS; /* NaN: bins of a width */
  PetscCall(ip_results_text(s->file, "column_rule", c, &rule));
  const PetscErrorCode code = has_text(s, "column_rule", d, rule, same);

  ip_release(&rule);
  return code;
}

PetscErrorCode contrast_twin(const sweep *s, size_t column, size_t other, bool *twin)
{
  bool word[3] = {false};

  *twin = false;
  PetscCall(has_text(s, "column_range", column, "snapshot", &word[0]));
  PetscCall(has_text(s, "column_range", column, "run", &word[1]));
  PetscCall(has_text(s, "column_range", other, "snapshot", &word[2]));
  if (word[0] || word[1] || !word[2]) return PETSC_SUCCESS;
  return same_bins(s, column, other, twin);
}
