#pragma once

/** @file
 *  Panels on a picture: rows and columns of one size, letters and titles above them, a caption and a
 *  legend at the top.  Private to the view.
 *
 *      page_begin, page_entry ..., page_panels, then for each panel page_panel, page_axes and a plot
 *      command of its own, page_end
 *
 *  Scripts say where things stand in centimeters of the printed page, W wide and H high.
 */

#include "plot.h"

/** Rows and columns of panels, and the room around and between them. */
typedef struct {
  size_t n;             /**< panels, filled row by row       */
  size_t columns;       /**<                                 */
  double width, height; /**< of one panel, cm                */
  double gap_x, gap_y;  /**< between panels, cm              */
  double right;         /**< beside the last column, cm      */
  double strip;         /**< above the panels: set by page_panels */
} page;

/** n panels in the plane of information: as large as a column of print, or two of it, allow. */
page page_of_planes(size_t n);

/** n rows of two panels each. */
page page_of_pairs(size_t n);

bool page_is_left(const page *g, size_t i);   /**< panel i stands in the first column  */
bool page_is_lowest(const page *g, size_t i); /**< no panel stands below panel i       */

/** Begin with a caption (text of a user). */
PetscErrorCode page_begin(const page *g, plot *p, const char *caption);

/** An entry of the legend: a point or a line in this style ("linetype 3"), and a title (text of a
 *  user). */
typedef enum { PAGE_POINT, PAGE_LINE } page_sample;
PetscErrorCode page_entry(plot *p, page_sample sample, const char *style, const char *title);

/** Entries for all layers of a network; in their colors, or gray. */
PetscErrorCode page_layers(plot *p, size_t layers, page_sample sample, bool gray);

/** The legend is complete: the panels follow below it. */
PetscErrorCode page_panels(page *g, plot *p);

/** Begin panel i: its place, its letter when there are several, a title and a small second line (texts
 *  of users; either may be ""). */
PetscErrorCode page_panel(const page *g, plot *p, size_t i, const char *title,
                          const char *small);

/** Labels of the axes of panel i; "" for an axis that the panels below or beside it share. */
PetscErrorCode page_axes(const page *g, plot *p, size_t i, const char *x, const char *y);

/** Draw caption and legend, after the last panel. */
PetscErrorCode page_end(plot *p);

/** linetype of layer l = 0 .. layers - 1: hidden layers 1 .. 7, 9 .. 15 and again; the output 8. */
size_t page_linetype(size_t l, size_t layers);

/** An axis of log epochs or updates up to `high`, on which 0 stands at 0.5: tics, scale and, for x,
 *  range. */
PetscErrorCode page_log_axis(plot *p, const char *axis, double high);

/** What a panel must say before it colors by epoch; and the map of colors, right of the panels of the
 *  first row (g->right must have the room), after page_end. */
PetscErrorCode page_color_by_epoch(plot *p, double high);
PetscErrorCode page_epochs(const page *g, plot *p, double high);

/** Labels of axes that many figures have. */
extern const char page_i_xt[], page_i_ty[];

/** Dashes of lines of width 1 and 2. */
#define PAGE_DASHES      "dashtype (6,4)"
#define PAGE_THIN_DASHES "dashtype (12,8)"

/** A clause of a plot command that is not seen: panels without a finite number stay empty. */
#define PAGE_NOTHING "with lines linecolor rgb '#ff000000' notitle"

/** Color of samples in legends that stand for every layer; of dashed ones a shade off, since gnuplot's
 *  SVG takes up new dashes only with a new color. */
#define PAGE_GRAY        "linecolor rgb '#606060'"
#define PAGE_DASHED_GRAY "linecolor rgb '#616161'"
