#pragma once

/** @file
 *  A picture: its data, the gnuplot script that draws it, and the drawing.  Private to the view.
 *
 *  NAME.dat holds blocks of rows, each below a comment that says what its columns are; `gnuplot
 *  NAME.gp`, in their folder, draws NAME.pdf, NAME.png and NAME.svg from it (an animation: NAME.gif).
 *  Every file is written beside its place and renamed, so none is ever half there.  Texts of users
 *  enter a script only through plot_quote.
 */

#include <infoplane/core.h>

/** A folder of pictures. */
typedef struct {
  char *path;
  int fd;
} plot_folder;

/** Make it if it does not exist.  IP_ERR_CREATE: it cannot be made or is not writable. */
PetscErrorCode plot_folder_open(const char *path, plot_folder *folder);
void plot_folder_close(plot_folder *folder);

/** Begin with {0}. */
typedef struct {
  char *stem;                /**< file name without ending                               */
  ip_text data, body;        /**< body: what draws, between terminals                    */
  size_t blocks;             /**< of data; gnuplot's index                               */
  double width, height;      /**< cm; W and H of the script                              */
  ip_text legend;            /**< drawn after the panels                                 */
  double legend_x, legend_y; /**< cm from the left and the top: where its next entry goes */
  ip_text words;             /**< scratch for titles                                     */
  size_t frames;             /**< of a GIF, drawn with `frame` = 0 ..; 0: a still picture */
} plot;

/** Characters other than [A-Za-z0-9._-] of the stem become "_".  sentence: what it shows; source: the
 *  file it is made from. */
PetscErrorCode plot_begin(plot *p, const char *stem, const char *sentence, const char *source);
void plot_clear(plot *p);

/** A block of data: what it is (any text), and its columns with their units. */
PetscErrorCode plot_block(plot *p, const char *what, const char *columns);
PetscErrorCode plot_row(plot *p, size_t n, const double value[]); /**< NaN, inf: "NaN" */
PetscErrorCode plot_gap(plot *p);                                 /**< the line ends here */

/** Append a text of a user as a string of gnuplot: single quotes, quotes doubled, control characters
 *  as spaces.  At most `most` characters, then "..."; use it with `noenhanced`. */
PetscErrorCode plot_quote(ip_text *script, const char *text, size_t most);

/** Write data and script and run gnuplot.  IP_ERR_CREATE, IP_ERR_IO: files; IP_ERR_ENVIRONMENT: no
 *  gnuplot, or its words. */
PetscErrorCode plot_draw(const plot *p, const plot_folder *folder);

/** gnuplot is on the PATH and runs. */
PetscErrorCode plot_check_gnuplot(void);

/** Run gnuplot in a folder (fd; -1: where we are) with default settings: at most 4 arguments, the
 *  last NULL.  IP_ERR_ENVIRONMENT: it is missing, or failed, with its own words. */
PetscErrorCode plot_run_gnuplot(int folder, const char *what, const char *const argument[]);

/** Write one file of the folder: beside its place, then renamed. */
PetscErrorCode plot_write(const plot_folder *folder, const char *name, const ip_text *text);

/** pointtype of a linetype 1 .. 15: 1 to 7 and 9 to 15 are hidden layers, 8 the output. */
int plot_shape(size_t linetype);

/** The color of a linetype, mixed with white: 0xRRGGBB. */
int plot_light(size_t linetype);

/** Color i of n along the map of epochs, as gnuplot writes it: "#31688e". */
void plot_shade(size_t i, size_t n, char color[8]);
