/* What a group of a damaged file must not send on. */

#include "sweep.h"
#include <string.h>

/* What the numbers say is the name of the architecture: "12-10-2". */
static PetscErrorCode check_widths(const sweep *s, const sweep_group *g)
{
  const char *name = s->architecture[g->architecture];
  ip_text label = {0};
  PetscErrorCode code = ip_text_add(&label, "%zu", g->features);

  for (size_t l = 0; l < g->layers && !code; l++)
    code = ip_text_add(&label, "-%d", (int)g->width[l]);
  if (!code && strcmp(label.text, name) != 0)
    code = ip_error_raise(IP_ERR_DATA, __func__,
                          "%s is damaged: the widths of the architecture %s are %s", s->path,
                          name, label.text);
  ip_text_clear(&label);
  return code;
}

/* -1: it is not seen. */
static bool is_event(const sweep *s, const sweep_group *g, double epoch)
{
  size_t l = 0;

  while (l < g->n_looks && (double)s->epoch[g->look[l]] != epoch) l++;
  return l < g->n_looks || epoch == -1.0;
}

static PetscErrorCode check_events_of(const sweep *s, const sweep_group *g, const char *field)
{
  size_t n_axes, length[IP_RESULTS_RANK], n = 1;
  double *epoch = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  if (!ip_results_shape(s->file, field, &n_axes, length)) return PETSC_SUCCESS;
  for (size_t a = 1; a < n_axes; a++) n *= length[a];
  PetscCall(IP_ALLOCATE(n, &epoch));
  for (size_t r = 0; r < g->n && !code; r++) {
    code = sweep_cells(s, field, g->run[r], epoch);
    for (size_t i = 0; i < n && !code; i++)
      if (!is_event(s, g, epoch[i]))
        code = ip_error_raise(IP_ERR_DATA, __func__,
                              "%s is damaged: %s of run %zu is %.0f, where nobody looked; "
                              "infoplane check %s says more",
                              s->path, field, g->run[r], epoch[i], s->path);
  }
  ip_release(&epoch);
  return code;
}

PetscErrorCode sweep_check_group(const sweep *s, const sweep_group *g)
{
  PetscCall(check_widths(s, g));
  for (size_t f = 0; f < IP_FIELDS; f++) {
    const ip_field *field = ip_field_row(f);

    if (field->n_axes > 0 && field->axis[field->n_axes - 1] == IP_AXIS_BOUND)
      PetscCall(check_events_of(s, g, field->name));
  }
  return PETSC_SUCCESS;
}
