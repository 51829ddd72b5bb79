/* What more layers buy (arXiv:1703.00810, Fig. 5): for every architecture, updates until the output knows
   90 % of the label, until the last hidden layer has done 90 % of its compression, and the accuracy at
   the end.  A point for every network, a bar at the median; an open triangle at the end of training is a
   network that did not get there. */

#include "figure.h"
#include <math.h>

enum { PANELS = 3 };

static const char *const event[] = {"learned_epoch", "fallen_epoch"};

/* Least and most updates that any network needed. */
typedef struct {
  double low, high;
} span;

/* Number of updates of the event in network r; of the whole training where it is not seen. */
static double updates_of(const figure *f, const sweep_group *g, double epoch)
{
  return isnan(epoch) ? g->updates[g->n_looks - 1] : sweep_updates_at(f->s, g, epoch);
}

static double place(const sweep_group *g, size_t i, size_t r)
{
  return (double)i + 1.0 + 0.5 * (((double)r + 0.5) / (double)g->n - 0.5);
}

/* learned, fallen: shape (networks, n_layers); accuracy: shape (n_epochs), scratch */
static PetscErrorCode write_networks(const figure *f, size_t i, double *const times[2],
                                     double *accuracy, plot *p, span *x)
{
  const sweep_group *g = f->group[i];
  const size_t output = g->layers - 1, hidden = g->layers > 1 ? g->layers - 2 : 0;

  PetscCall(
      plot_block(p, figure_title(f, g),
                 "place | updates until learned, 1: not seen | updates until fallen, 1: not "
                 "seen | accuracy of test patterns at the end"));
  for (size_t r = 0; r < g->n; r++) {
    const double learned = times[0][r * f->s->n_layers + output],
                 fallen = times[1][r * f->s->n_layers + hidden],
                 first = updates_of(f, g, learned), second = updates_of(f, g, fallen);

    x->low = fmax(1.0, fmin(x->low, fmin(first, second)));
    x->high = fmax(x->high, fmax(first, second));
    PetscCall(sweep_curve(f->s, "accuracy_test", g->run[r], 0, accuracy));
    PetscCall(plot_row(p, 6,
                       (const double[]){place(g, i, r), first, isnan(learned), second,
                                        isnan(fallen), accuracy[g->look[g->n_looks - 1]]}));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode write_medians(const figure *f, size_t i, double *const times[2], plot *p)
{
  const sweep_group *g = f->group[i];
  double row[6] = {(double)i + 1.0, (double)g->n};

  PetscCall(plot_block(p, "medians",
                       "place | networks | updates until learned, networks that "
                       "have | updates until fallen, networks that have"));
  for (size_t k = 0; k < 2; k++) {
    const size_t layer = k == 0 || g->layers < 2 ? g->layers - 1 : g->layers - 2;
    size_t seen = 0;
    const double median = figure_median_event(f, g, times[k], layer, &seen);

    row[2 + 2 * k] = sweep_updates_at(f->s, g, median);
    row[3 + 2 * k] = (double)seen;
  }
  return plot_row(p, 6, row);
}

static PetscErrorCode write_group(const figure *f, size_t i, plot *p, span *x)
{
  const sweep_group *g = f->group[i];
  double *times[2] = {NULL, NULL}, *accuracy = NULL;
  PetscErrorCode code = IP_ALLOCATE(f->s->n_epochs, &accuracy);

  for (size_t k = 0; k < 2 && code == PETSC_SUCCESS; k++) {
    code = IP_ALLOCATE(g->n * f->s->n_layers, &times[k]);
    if (code == PETSC_SUCCESS) code = figure_events(f, g, event[k], times[k]);
  }
  if (code == PETSC_SUCCESS) code = write_networks(f, i, times, accuracy, p, x);
  if (code == PETSC_SUCCESS) code = write_medians(f, i, times, p);
  for (size_t k = 0; k < 2; k++) ip_release(&times[k]);
  ip_release(&accuracy);
  return code;
}

/* Points of all networks; column: of the updates, the next one says whether they were not seen. */
static PetscErrorCode draw_times(const figure *f, plot *p, size_t column)
{
  for (size_t i = 0; i < f->n; i++)
    PetscCall(ip_text_add(&p->body,
                          "%s data index %zu using 1:($%zu == 0 ? $%zu/1000 : NaN) with points "
                          "pointtype 7 pointsize "
                          "0.9*P linecolor rgb '#0072b2' notitle, \\\n"
                          "    data index %zu using 1:($%zu == 1 ? $%zu/1000 : NaN) with "
                          "points pointtype 8 pointsize "
                          "1.3*P linecolor rgb '#d55e00' notitle, \\\n"
                          "    data index %zu using ($1-0.3):($%zu/1000):(0.6):(0) with "
                          "vectors nohead linewidth 2.5 "
                          "linecolor rgb '#202020' notitle",
                          i ? ", \\\n   " : "  plot", 2 * i, column + 1, column, 2 * i,
                          column + 1, column, 2 * i + 1, column + 1));
  return ip_text_add(&p->body, "\n");
}

static PetscErrorCode draw_accuracy(const figure *f, plot *p)
{
  for (size_t i = 0; i < f->n; i++)
    PetscCall(ip_text_add(
        &p->body,
        "%s data index %zu using 1:(100*$6) with points pointtype 7 pointsize 0.9*P "
        "linecolor rgb '#0072b2' notitle",
        i ? ", \\\n   " : "  plot", 2 * i));
  return ip_text_add(&p->body, ", 100 " PAGE_NOTHING "\n");
}

/* Hidden layers where they tell the groups apart, else whole architectures. */
static PetscErrorCode add_places(const figure *f, plot *p, bool by_depth)
{
  PetscCall(ip_text_add(&p->body, "  set xrange [0.4:%zu.6]; set xtics (", f->n));
  for (size_t i = 0; i < f->n; i++) {
    const sweep_group *g = f->group[i];

    if (i > 0) PetscCall(ip_text_add(&p->body, ", "));
    if (by_depth)
      PetscCall(ip_text_add(&p->body, "'%zu'", g->layers - 1));
    else
      PetscCall(plot_quote(&p->body, f->s->architecture[g->architecture], 24));
    PetscCall(ip_text_add(&p->body, " %zu", i + 1));
  }
  return ip_text_add(&p->body, ") scale 0%s\n",
                     by_depth ? "" : " rotate by 30 right noenhanced");
}

/* Thousands of updates, log, the same in both panels; tics at 1, 2 and 5 times the powers of ten, more
   where these are few. */
static PetscErrorCode set_time_axis(const span *x, plot *p)
{
  static const double few[] = {1, 2, 5, 0}, many[] = {1, 1.5, 2, 3, 4, 5, 6, 8, 0};
  const double *step = x->high > 8.0 * x->low ? few : many;

  PetscCall(ip_text_add(&p->body, "  set logscale y; set yrange [%.9g:%.9g]; set ytics (",
                        x->low / 1300.0, x->high / 1000.0 * 1.3));
  for (int e = -3; e < 7; e++)
    for (size_t k = 0; step[k] > 0.0; k++)
      PetscCall(ip_text_add(&p->body, "%s'%g' %g", e > -3 || k ? ", " : "",
                            step[k] * pow(10.0, e), step[k] * pow(10.0, e)));
  return ip_text_add(&p->body, ")\n");
}

PetscErrorCode figure_fill_depth(const figure *f, plot *p)
{
  static const char *const title[PANELS] = {"output: I(T;Y) rises", "last hidden layer falls",
                                            "accuracy at the end"},
                           *const small[PANELS] = {"to 0.9 H(Y), for 3 looks",
                                                   "90 % of its fall in I(X;T)",
                                                   "test patterns"},
                           *const y[PANELS] = {"updates (thousands)", "updates (thousands)",
                                               "labeled right (%)"};
  page g = page_of_planes(PANELS);
  bool by_depth = true;
  span x = {HUGE_VAL, 1.0};

  for (size_t i = 1; i < f->n; i++)
    by_depth = by_depth && f->group[i]->layers > f->group[i - 1]->layers;
  g.gap_x = 1.5;
  g.width = 4.2;
  PetscCall(figure_begin(f, &g, p, "every point a network"));
  PetscCall(page_entry(p, PAGE_LINE, "linewidth 2.5 linecolor rgb '#202020'", "median"));
  PetscCall(page_entry(p, PAGE_POINT, "pointtype 8 pointsize 1.3*P linecolor rgb '#d55e00'",
                       "not before the end of training"));
  PetscCall(page_panels(&g, p));
  for (size_t i = 0; i < f->n; i++) PetscCall(write_group(f, i, p, &x));
  PetscCall(add_places(f, p, by_depth));
  for (size_t k = 0; k < PANELS; k++) {
    PetscCall(page_panel(&g, p, k, title[k], small[k]));
    PetscCall(page_axes(&g, p, k, by_depth ? "hidden layers" : "", y[k]));
    PetscCall(
        k < 2 ? set_time_axis(&x, p)
              : ip_text_add(&p->body,
                            "  unset logscale y; set yrange [*:100]; set ytics autofreq\n"));
    PetscCall(k < 2 ? draw_times(f, p, k ? 4 : 2) : draw_accuracy(f, p));
  }
  return page_end(p);
}

PetscErrorCode figure_lacks_depths(const figure *f, const char **what)
{
  *what = f->n < 2 ? "two architectures or more (network.hidden)"
                   : "epochs of events, which a newer infoplane records";
  return f->n >= 2 && sweep_has(f->s, event[0]) ? figure_lacks_training(f, what)
                                                : PETSC_SUCCESS;
}
