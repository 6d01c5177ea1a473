package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Arrays;

/**
 * Whether a domain's vCPUs may run. Confined to the machine thread.
 *
 * @see "xen/common/domain.c, domain_pause_by_systemcontroller and domain_shutdown"
 */
final class RunState implements Digestible {
  /** In place of a shutdown code: it has not shut down ({@code SHUTDOWN_CODE_INVALID}). */
  static final int NOT_SHUT_DOWN = 0xff;

  private static final int MAX_PAUSES = 255;

  private int controllerPauses;
  private boolean creationFinished;
  private int shutdownCode = NOT_SHUT_DOWN;
  private int vcpus;
  private int onlineVcpus;
  private int[] eventPauses = {};

  int controllerPauses() {
    return controllerPauses;
  }

  int shutdownCode() {
    return shutdownCode;
  }

  boolean isShutDown() {
    return shutdownCode != NOT_SHUT_DOWN;
  }

  /** vCPUs allocated. */
  int vcpus() {
    return vcpus;
  }

  /** vCPUs that were started. */
  int onlineVcpus() {
    return onlineVcpus;
  }

  boolean isRunning() {
    return onlineVcpus > 0 && controllerPauses == 0 && !isShutDown();
  }

  void addVcpus(int count) {
    vcpus = Math.max(vcpus, count);
    eventPauses = Arrays.copyOf(eventPauses, vcpus);
    startFirst();
  }

  /** Starts all vCPUs, as dom0's are at boot. */
  void startAll() {
    creationFinished = true;
    onlineVcpus = vcpus;
  }

  void pause() {
    if (controllerPauses == MAX_PAUSES) {
      throw Refusal.of(Errno.EOVERFLOW, "it is paused %d times already", MAX_PAUSES);
    }
    controllerPauses++;
  }

  void unpause() {
    if (controllerPauses == 0) {
      throw Refusal.of(Errno.EINVAL, "it is not paused");
    }
    controllerPauses--;
    if (controllerPauses == 0) {
      creationFinished = true;
      startFirst();
    }
  }

  void pauseVcpu(int vcpu) {
    eventPauses[vcpu]++;
  }

  void unpauseVcpu(int vcpu) {
    eventPauses[vcpu] = Math.max(0, eventPauses[vcpu] - 1);
  }

  boolean isVcpuPaused(int vcpu) {
    return eventPauses[vcpu] > 0;
  }

  /** The first reason wins. */
  void shutDown(int code) {
    if (!isShutDown()) {
      shutdownCode = code;
    }
  }

  void resume() {
    shutdownCode = NOT_SHUT_DOWN;
  }

  // Toolstacks set the first vCPU's registers before they unpause a domain, which starts it. There
  // are no registers here, so unpausing it does; the guest would start the others itself.
  private void startFirst() {
    if (creationFinished && vcpus > 0 && onlineVcpus == 0) {
      onlineVcpus = 1;
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("run-state")
        .put(controllerPauses)
        .put(creationFinished)
        .put(shutdownCode)
        .put(vcpus)
        .put(onlineVcpus);
    for (int pauses : eventPauses) {
      digest.put(pauses);
    }
  }
}
