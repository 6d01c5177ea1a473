package io.hypercalld.core.domain;

/**
 * Why a domain shut down.
 *
 * @see "xen/include/public/sched.h, SHUTDOWN_*"
 */
public enum ShutdownReason {
  POWEROFF(0),
  REBOOT(1),
  SUSPEND(2),
  CRASH(3),
  WATCHDOG(4),
  SOFT_RESET(5);

  private final int code;

  ShutdownReason(int code) {
    this.code = code;
  }

  public int code() {
    return code;
  }
}
