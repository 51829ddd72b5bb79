#pragma once

/** @file
 *  Kinds of figures.  A new one is a function that fills a picture and a row in figures.def.
 *  Private to the view.
 */

#include "page.h"
#include "sweep.h"

/** What a picture is made from: some groups of a study, in one estimator column. */
typedef struct {
  const sweep *s;
  const sweep_study *study;
  size_t n; /**< groups that stand beside each other, each with finished runs */
  const sweep_group *const *group;
  bool has_column; /**< the kind has columns                                         */
  size_t column;   /**< 0 where it has none                                          */
} figure;

/** A row of figures.def. */
typedef struct {
  const char *name, *shows; /**< name in file names; a sentence                               */
  bool by_column;           /**< one picture for every column that the study measures         */
  size_t most;              /**< groups on a picture, 0: all                                  */
  const char *across;       /**< key in which the groups of a picture differ alone, or NULL   */
  /** *what: what the figure needs and these groups do not have, or NULL. */
  PetscErrorCode (*lacks)(const figure *f, const char **what);
  PetscErrorCode (*fill)(const figure *f, plot *p);
} figure_kind;

const figure_kind *figure_row(size_t i); /**< NULL past the end */

#define IP_FIGURE(kind, ...) PetscErrorCode figure_fill_##kind(const figure *f, plot *p);
#include "figures.def"
#undef IP_FIGURE

/* ---- what kinds of figures share ------------------------------------------------------------------ */

/** Mean and standard deviation over replicates, shape (n_epochs, n_layers) or (n_epochs). */
typedef struct {
  double *mean, *deviation;
} figure_band;

PetscErrorCode figure_band_read(const figure *f, const sweep_group *g, const char *field,
                                figure_band *band);
void figure_band_clear(figure_band *band);

/** Place of look l of the group and a layer in such an array. */
size_t figure_cell(const figure *f, const sweep_group *g, size_t l, size_t layer);
double figure_epoch(const figure *f, const sweep_group *g, size_t l);
double figure_last_epoch(const figure *f); /**< of all groups */
size_t figure_layers(const figure *f);     /**< of the deepest group */

/** Epochs of an event (peak_epoch, ...) in the runs of a group, epoch: shape (g->n, n_layers): the look
 *  at which it is seen, NaN where it is not.  All NaN in a file that has no such field. */
PetscErrorCode figure_events(const figure *f, const sweep_group *g, const char *field,
                             double epoch[]);
/** Median over the runs of a layer, one of the two in the middle; NaN where fewer than half of them
 *  have the event.  *seen: how many have it. */
double figure_median_event(const figure *f, const sweep_group *g, const double epoch[],
                           size_t layer, size_t *seen);
/** Look of the group with this epoch; n_looks for NaN. */
size_t figure_look_of(const figure *f, const sweep_group *g, double epoch);

/** Entropies of the group in this column, bits: means over its networks, as subsets may differ. */
typedef struct {
  double h_x, h_y, i_xy;
} figure_caps;
PetscErrorCode figure_caps_read(const figure *f, const sweep_group *g, figure_caps *caps);

/** The plot command, still open, of a block whose sub-blocks are layers against epochs: for each layer
 *  the mean in this column of data, the deviation in the next one as a band. */
PetscErrorCode figure_draw_curves(const sweep_group *g, plot *p, size_t index, size_t column);

/** Begin panel i for a group: its label (its architecture where it has none), and below it "4 networks,
 *  14 updates an epoch". */
PetscErrorCode figure_panel(const figure *f, const page *g, plot *p, size_t i,
                            const sweep_group *group);
const char *figure_title(const figure *f, const sweep_group *group);

/** Axes of the plane of information in panel i, up to the caps of a group, which are drawn dashed and
 *  named. */
PetscErrorCode figure_plane(const figure *f, const page *g, plot *p, size_t i,
                            const sweep_group *group);

/** page_begin with a caption: study, what is shown, column where the kind has columns. */
PetscErrorCode figure_begin(const figure *f, const page *g, plot *p, const char *what);

/** *what: NULL where every group has been looked at more than once, else what is missing. */
PetscErrorCode figure_lacks_training(const figure *f, const char **what);
/** The same, and that we trained them ourselves. */
PetscErrorCode figure_lacks_optimizer(const figure *f, const char **what);
PetscErrorCode figure_lacks_fractions(const figure *f, const char **what);
PetscErrorCode figure_lacks_depths(const figure *f, const char **what);
PetscErrorCode figure_lacks_curve(const figure *f, const char **what);
PetscErrorCode figure_lacks_images(const figure *f, const char **what);
