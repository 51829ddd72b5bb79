/* infoplane explain: a variable of the results, or all of them in a line each. */

#include "cli.h"

static PetscErrorCode explain(const char *name, ip_text *text)
{
  if (name) return ip_variable_explain(name, text);
  for (size_t i = 0; ip_variable_name(i); i++) {
    char label[40];

    snprintf(label, sizeof label, "%-26s", ip_variable_name(i));
    PetscCall(ip_text_wrap(text, 26, label, ip_variable_sentence(i)));
  }
  return PETSC_SUCCESS;
}

int verb_explain(const arguments *a)
{
  int rank, size;
  ip_text text = {0};

  launcher_place(&rank, &size);
  if (rank != 0) return 0;

  const PetscErrorCode code = explain(a->operand, &text);

  if (!code) fputs(text.text, stdout);
  ip_text_clear(&text);
  return code == PETSC_SUCCESS ? 0 : report_error(a, code);
}
