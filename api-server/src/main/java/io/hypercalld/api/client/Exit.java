package io.hypercalld.api.client;

/** How a command ends; the code is what a shell sees. */
public enum Exit {
  OK(0),
  FAILED(1),
  USAGE(2),
  NOT_FOUND(3),
  CONFLICT(4),
  UNREACHABLE(5),
  WOULD_FAIL(6);

  private final int code;

  Exit(int code) {
    this.code = code;
  }

  public int code() {
    return code;
  }

  /** What a status of an answer means; a body that is not understood was written by the user. */
  static Exit ofStatus(int status, boolean dryRun) {
    if (status < 400) {
      return OK;
    }
    if (dryRun) {
      return WOULD_FAIL;
    }
    return switch (status) {
      case 400 -> USAGE;
      case 404, 410 -> NOT_FOUND;
      case 409, 412 -> CONFLICT;
      default -> FAILED;
    };
  }
}
