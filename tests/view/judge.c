/* The claims and tables of a file, without its pictures:  judge FILE.h5 FOLDER */

#include <infoplane/view.h>

int main(int argc, char **argv)
{
  if (argc != 3) return 64;
  PetscPushErrorHandler(ip_error_handler, NULL);
  const PetscErrorCode code = ip_view_claims(argv[1], argv[2], stdout);

  if (code != PETSC_SUCCESS) fprintf(stderr, "%s\n", ip_error_message());
  return ip_error_exit_code(code);
}
