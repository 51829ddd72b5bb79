/* Layer by layer, estimator by estimator: activations of the patterns that a column asks for. */

#include "measure.h"
#include "stage.h"
#include <math.h>

/* One of full, train, test: its patterns, and what the estimators see of them. */
typedef struct {
  bool wanted;            /* some column measures here               */
  size_t m;               /* patterns                                */
  const uint32_t *subset; /* their indices; NULL: all                */
  int32_t *y;             /* labels of the subset                    */
  double *p;              /* p(y|x) of the subset                    */
  float *t;               /* activations of the subset, one layer    */
  double *low, *high;     /* range of each layer over the run so far */
} part;

struct measurement {
  const ip_plan *plan;
  const ip_measure *measure;
  const ip_dataset *data;
  const ip_architecture *shape;
  const ip_network *network; /* NULL: activations are lent */
  const float *lent;         /* of the layer at hand, as a snapshot has them */
  size_t lent_stride;
  const int32_t *y;
  bool bounded; /* hidden activation has a closed range */
  part on[IP_ONS];
  ip_snapshot *snapshot;
  ip_workspace *work;
  const ip_column **chosen; /* columns of one call, shape (columns)   */
  int32_t *chosen_index;    /* their places on the axis               */
  ip_information *answer;   /* shape (columns)                        */
  bool second_pass;
  double *weight; /* shape (patterns): p(x); where labels are not certain */
  uint32_t *cell; /* shape (patterns)                                     */
};

/* ---- create and destroy ----------------------------------------------------------------------- */

static size_t stride_of(size_t m)
{
  return (m + 15) / 16 * 16;
}

/* Labels and room for the activations of a subset. */
static PetscErrorCode fill_part(const measurement *m, part *on)
{
  const size_t layers = m->shape->layers, k = (size_t)m->data->k;
  int32_t widest = 1;

  PetscCall(IP_ALLOCATE(layers + 1, &on->low));
  PetscCall(IP_ALLOCATE(layers + 1, &on->high));
  for (size_t l = 1; l <= layers; l++) {
    on->low[l] = on->high[l] = (double)NAN;
    if (m->shape->width[l] > widest) widest = m->shape->width[l];
  }
  if (!on->subset) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE((size_t)widest * stride_of(on->m), &on->t));
  PetscCall(IP_ALLOCATE(on->m, &on->y));
  for (size_t i = 0; i < on->m; i++) on->y[i] = m->y[on->subset[i]];
  if (!m->data->p) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE(on->m * k, &on->p));
  for (size_t i = 0; i < on->m; i++)
    for (size_t c = 0; c < k; c++) on->p[i * k + c] = m->data->p[on->subset[i] * k + c];
  return PETSC_SUCCESS;
}

static PetscErrorCode fill(measurement *m, const ip_split *split)
{
  m->on[IP_ON_FULL] = (part){.m = m->data->n};
  m->on[IP_ON_TRAIN] = (part){.m = split->n_train, .subset = split->train};
  m->on[IP_ON_TEST] = (part){.m = split->n_test, .subset = split->test};
  for (size_t c = 0; c < m->measure->n_columns; c++) {
    const ip_column *column = &m->plan->column[m->measure->column[c]];

    m->on[column->on].wanted = true;
    m->second_pass = m->second_pass || column->estimator->needs_run_range(column);
  }
  for (size_t on = 0; on < IP_ONS; on++)
    if (m->on[on].wanted && m->on[on].m > 0) PetscCall(fill_part(m, &m->on[on]));
  if (m->network) PetscCall(ip_snapshot_create(m->network, m->data->n, &m->snapshot));
  PetscCall(ip_workspace_create(&m->work));
  PetscCall(IP_ALLOCATE(m->measure->n_columns, &m->chosen));
  PetscCall(IP_ALLOCATE(m->measure->n_columns, &m->chosen_index));
  PetscCall(IP_ALLOCATE(m->measure->n_columns, &m->answer));
  if (!m->data->p) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE(m->data->n, &m->weight));
  return IP_ALLOCATE(m->data->n, &m->cell);
}

PetscErrorCode measurement_create(const ip_plan *plan, const ip_run *run, const int32_t y[],
                                  const ip_split *split, const ip_network *network,
                                  measurement **result)
{
  const ip_value *name = run->value[IP_KEY_NETWORK_ACTIVATION];
  const ip_activation *activation = name ? ip_activation_row((size_t)name->word) : NULL;
  measurement *m = NULL;

  PetscCall(IP_ALLOCATE(1, &m));
  m->plan = plan;
  m->measure = &plan->measure[run->measure];
  m->data = plan->data->set[run->data];
  m->shape = &plan->architecture[run->architecture];
  m->network = network;
  m->y = y;
  /* of an unknown one what lies outside the range is counted, and the user told */
  m->bounded = !activation || (isfinite(activation->low) && isfinite(activation->high));

  const PetscErrorCode code = fill(m, split);

  if (code != PETSC_SUCCESS) {
    measurement_destroy(&m);
    return code;
  }
  *result = m;
  return PETSC_SUCCESS;
}

void measurement_destroy(measurement **result)
{
  measurement *m = *result;

  if (!m) return;
  for (size_t on = 0; on < IP_ONS; on++) {
    ip_release(&m->on[on].y);
    ip_release(&m->on[on].p);
    ip_release(&m->on[on].t);
    ip_release(&m->on[on].low);
    ip_release(&m->on[on].high);
  }
  ip_snapshot_destroy(&m->snapshot);
  ip_workspace_destroy(&m->work);
  ip_release(&m->chosen);
  ip_release(&m->chosen_index);
  ip_release(&m->answer);
  ip_release(&m->weight);
  ip_release(&m->cell);
  ip_release(result);
}

size_t measurement_pieces(measurement *m, ip_piece piece[])
{
  const size_t bytes = (m->shape->layers + 1) * sizeof(double);
  size_t n = 0;

  for (size_t on = 0; on < IP_ONS; on++) {
    if (!m->on[on].low) continue;
    piece[n++] = (ip_piece){m->on[on].low, bytes};
    piece[n++] = (ip_piece){m->on[on].high, bytes};
  }
  return n;
}

bool measurement_has_second_pass(const measurement *m)
{
  return m->second_pass;
}

PetscErrorCode measurement_snapshot_take(measurement *m)
{
  return ip_snapshot_take(m->network, m->data->x, m->snapshot);
}

const ip_snapshot *measurement_snapshot(const measurement *m)
{
  return m->snapshot;
}

PetscErrorCode measurement_entropies(const measurement *m, ip_record *record)
{
  for (size_t on = 0; on < IP_ONS; on++) {
    const part *part_ = &m->on[on];
    ip_entropies h;

    if (!part_->wanted || part_->m == 0) continue;
    PetscCall(ip_dataset_entropies(m->data, m->y, part_->m, part_->subset, &h));
    for (size_t c = 0; c < m->measure->n_columns; c++) {
      const int32_t i = m->measure->column[c];

      if ((size_t)m->plan->column[i].on != on) continue;
      ((double *)record->array[IP_FIELD_h_x])[i] = h.h_x;
      ((double *)record->array[IP_FIELD_h_y])[i] = h.h_y;
      ((double *)record->array[IP_FIELD_i_xy])[i] = h.i_xy;
    }
  }
  return PETSC_SUCCESS;
}

/* ---- one layer --------------------------------------------------------------------------------- */

/* The layer's activations of the patterns of one part. */
static ip_layer view(const measurement *m, size_t layer, part *on)
{
  const size_t d = (size_t)m->shape->width[layer],
               stride = m->network ? ip_snapshot_stride(m->snapshot) : m->lent_stride;
  const float *t = m->network ? ip_snapshot_layer(m->snapshot, layer) : m->lent;
  ip_layer v = {.n = on->m,
                .d = d,
                .stride = stride,
                .k = m->data->k,
                .t = t,
                .y = m->y,
                .p = m->data->p,
                .bounded = m->bounded || layer == m->shape->layers,
                .run_low = on->low[layer],
                .run_high = on->high[layer]};

  if (!on->subset) return v;
  v.stride = stride_of(on->m);
  v.t = on->t;
  v.y = on->y;
  v.p = on->p;
  for (size_t u = 0; u < d; u++) {
    float *row = &on->t[u * v.stride];

    for (size_t i = 0; i < on->m; i++) row[i] = t[u * stride + on->subset[i]];
    for (size_t i = on->m; i < v.stride; i++) row[i] = 0.0F;
  }
  return v;
}

static void widen_range(const ip_layer *v, double *low, double *high)
{
  for (size_t u = 0; u < v->d; u++)
    for (size_t i = 0; i < v->n; i++) {
      const double t = (double)v->t[u * v->stride + i];

      if (!(t >= *low)) *low = t; /* also replaces the first NaN */
      if (!(t <= *high)) *high = t;
    }
}

/* Columns of one estimator, part and pass; how many. */
static size_t choose(const measurement *m, const ip_estimator *e, size_t on, pass p)
{
  size_t n = 0;

  for (size_t c = 0; c < m->measure->n_columns; c++) {
    const int32_t i = m->measure->column[c];
    const ip_column *column = &m->plan->column[i];

    if (column->estimator != e || (size_t)column->on != on) continue;
    if (e->needs_run_range(column) != (p == SECOND_PASS)) continue;
    m->chosen[n] = column;
    m->chosen_index[n++] = i;
  }
  return n;
}

static void write_down(const measurement *m, size_t n, size_t layer, int32_t e,
                       ip_record *record)
{
  for (size_t c = 0; c < n; c++) {
    const size_t i =
        ((size_t)m->chosen_index[c] * m->plan->n_epochs + (size_t)e) * m->plan->n_layers +
        layer - 1;

    ((double *)record->array[IP_FIELD_i_xt])[i] = m->answer[c].i_xt;
    ((double *)record->array[IP_FIELD_i_ty])[i] = m->answer[c].i_ty;
    ((double *)record->array[IP_FIELD_h_t])[i] = m->answer[c].h_t;
    ((float *)record->array[IP_FIELD_i_ty_bias])[i] = m->answer[c].i_ty_bias;
    ((float *)record->array[IP_FIELD_clipped_fraction])[i] = m->answer[c].clipped_fraction;
    ((float *)record->array[IP_FIELD_bin_low])[i] = m->answer[c].bin_low;
    ((float *)record->array[IP_FIELD_bin_high])[i] = m->answer[c].bin_high;
    ((float *)record->array[IP_FIELD_kde_error_bound])[i] = m->answer[c].error_bound;
  }
}

/* The beta that explains each column's cells best, where labels are not certain. */
static PetscErrorCode explain(measurement *m, const ip_layer *v, size_t n, size_t layer,
                              ip_record *record)
{
  const double share = 1.0 / (double)v->n;

  for (size_t i = 0; i < v->n; i++) m->weight[i] = share;
  for (size_t c = 0; c < n; c++) {
    const size_t at = (size_t)m->chosen_index[c] * m->plan->n_layers + layer - 1;
    const ip_joint joint = {.n = v->n, .k = v->k, .weight = m->weight, .p = v->p};
    ip_best_beta beta;
    size_t n_cells = 0;

    if (!m->chosen[c]->estimator->cells) continue;
    PetscCall(ip_estimate_cells(v, m->chosen[c], m->work, &n_cells, m->cell));
    PetscCall(ip_bottleneck_layer(&joint, n_cells, m->cell, &beta));
    ((double *)record->array[IP_FIELD_beta_best])[at] = beta.best;
    ((double *)record->array[IP_FIELD_beta_low])[at] = beta.low;
    ((double *)record->array[IP_FIELD_beta_high])[at] = beta.high;
    ((double *)record->array[IP_FIELD_beta_misfit])[at] = beta.misfit;
    ((int8_t *)record->array[IP_FIELD_beta_edge])[at] = (int8_t)beta.edge;
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode estimate(measurement *m, const ip_layer *v, const ip_estimator *e,
                               size_t n)
{
  PetscCall(stage_begin(e->name));

  const PetscErrorCode code = ip_estimate(v, n, m->chosen, m->work, m->answer);

  PetscCall(stage_end());
  return code;
}

PetscErrorCode measurement_layer(measurement *m, size_t layer, int32_t e, pass p,
                                 ip_record *record)
{
  const ip_estimator *estimator;

  for (size_t on = 0; on < IP_ONS; on++) {
    part *part_ = &m->on[on];

    if (!part_->wanted || part_->m == 0) continue;

    const ip_layer v = view(m, layer, part_);

    if (p == FIRST_PASS && m->second_pass)
      widen_range(&v, &part_->low[layer], &part_->high[layer]);
    for (size_t i = 0; (estimator = ip_estimator_row(i)) != NULL; i++) {
      const size_t n = choose(m, estimator, on, p);

      if (n == 0) continue;
      PetscCall(estimate(m, &v, estimator, n));
      write_down(m, n, layer, e, record);
      if (v.p && e == m->measure->look[m->measure->n_looks - 1])
        PetscCall(explain(m, &v, n, layer, record));
    }
  }
  return PETSC_SUCCESS;
}

/* ---- activations of another network ------------------------------------------------------------- */

void measurement_lend(measurement *m, size_t stride, const float *t)
{
  m->lent = t;
  m->lent_stride = stride;
}

void measurement_learn(measurement *m, size_t layer)
{
  for (size_t on = 0; on < IP_ONS; on++) {
    part *part_ = &m->on[on];

    if (!part_->wanted || part_->m == 0) continue;

    const ip_layer v = view(m, layer, part_);

    widen_range(&v, &part_->low[layer], &part_->high[layer]);
  }
}

/* ---- together with others ----------------------------------------------------------------------- */

void measurement_join(measurement *m, const ip_crew *crew)
{
  ip_workspace_join(m->work, crew);
}

/* Columns of one part that estimator i measures and shares out. */
static size_t choose_shared(const measurement *m, size_t i, size_t on)
{
  const ip_estimator *e = ip_estimator_row(i);

  return e->assist && m->on[on].wanted && m->on[on].m > 0 ? choose(m, e, on, FIRST_PASS) : 0;
}

PetscErrorCode measurement_assist(measurement *m, size_t layer)
{
  for (size_t on = 0; on < IP_ONS; on++)
    for (size_t i = 0; ip_estimator_row(i); i++) {
      const size_t n = choose_shared(m, i, on);

      if (n == 0) continue;

      const ip_layer v = view(m, layer, &m->on[on]);

      PetscCall(stage_begin(ip_estimator_name(i)));
      PetscCall(ip_estimate_assist(&v, n, m->chosen, m->work));
      PetscCall(stage_end());
    }
  return PETSC_SUCCESS;
}
