package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * Whether a domain's vCPUs may run, and why not. Confined to the machine thread.
 *
 * @see "xen/common/domain.c, domain_pause_by_systemcontroller and domain_shutdown"
 */
public final class RunState implements Digestible {
  /** In place of a shutdown code: it has not shut down ({@code SHUTDOWN_CODE_INVALID}). */
  static final int NOT_SHUT_DOWN = 0xff;

  private static final int MAX_PAUSES = 255;

  private final Runnable started;
  private final IntConsumer ended;
  private final Consumer<DomainNotice> told;
  private int controllerPauses;
  private boolean creationFinished;
  private int shutdownCode = NOT_SHUT_DOWN;
  private int vcpus;
  private boolean firstStarted;
  private final BitSet online = new BitSet();
  private int[] eventPauses = {};
  private String crashReason = "";

  /**
   * With somebody who is told when it is first let run, the reason when it ends, and when it is
   * paused and goes on.
   */
  RunState(Runnable started, IntConsumer ended, Consumer<DomainNotice> told) {
    this.started = started;
    this.ended = ended;
    this.told = told;
  }

  /** How often the toolstack paused it without unpausing it. */
  public int controllerPauses() {
    return controllerPauses;
  }

  /** Whether the toolstack paused it at least once more than it unpaused it. */
  public boolean isPausedByController() {
    return controllerPauses > 0;
  }

  /** A {@link ShutdownReason}'s number, or another one that a guest chose; 255 while it has not. */
  public int shutdownCode() {
    return shutdownCode;
  }

  /** Whether it has shut down, for the reason {@link #shutdownCode}. */
  public boolean isShutDown() {
    return shutdownCode != NOT_SHUT_DOWN;
  }

  /** Why it crashed, for people; empty where it did not. */
  public String crashReason() {
    return crashReason;
  }

  /** Whether it was ever let run: until then only its builder changes it. */
  public boolean isCreationFinished() {
    return creationFinished;
  }

  /** vCPUs allocated so far. */
  public int vcpus() {
    return vcpus;
  }

  /** How many vCPUs are started. */
  public int onlineVcpus() {
    return online.cardinality();
  }

  /** Whether a vCPU is started. */
  public boolean isOnline(int vcpu) {
    return online.get(vcpu);
  }

  /** Starts a vCPU: another one has sent it a start-up. */
  public void start(int vcpu) {
    online.set(vcpu);
  }

  /** Has a vCPU wait for a start-up: another one has sent it INIT. */
  public void stop(int vcpu) {
    online.clear(vcpu);
  }

  boolean isRunning() {
    return !online.isEmpty() && controllerPauses == 0 && !isShutDown();
  }

  void addVcpus(int count) {
    vcpus = Math.max(vcpus, count);
    eventPauses = Arrays.copyOf(eventPauses, vcpus);
    startFirst();
  }

  /** Starts all vCPUs, as dom0's are at boot. */
  void startAll() {
    finishCreation();
    firstStarted = true;
    online.set(0, vcpus);
  }

  /**
   * One more pause by the toolstack.
   *
   * @throws Refusal EOVERFLOW
   */
  public void pause() {
    if (controllerPauses == MAX_PAUSES) {
      throw Refusal.of(Errno.EOVERFLOW, "it is paused %d times already", MAX_PAUSES);
    }
    controllerPauses++;
    if (controllerPauses == 1) {
      told.accept(DomainNotice.PAUSED);
    }
  }

  /**
   * One pause less.
   *
   * @throws Refusal EINVAL where it is not paused
   */
  public void unpause() {
    if (controllerPauses == 0) {
      throw Refusal.of(Errno.EINVAL, "it is not paused");
    }
    controllerPauses--;
    if (controllerPauses == 0) {
      finishCreation();
      startFirst();
      told.accept(DomainNotice.UNPAUSED);
    }
  }

  private void finishCreation() {
    if (!creationFinished) {
      creationFinished = true;
      started.run();
    }
  }

  /** Keeps a vCPU from running until an event is answered; counted. */
  public void pauseVcpu(int vcpu) {
    eventPauses[vcpu]++;
  }

  /** Takes one pause of the vCPU back; no effect where there is none. */
  public void unpauseVcpu(int vcpu) {
    eventPauses[vcpu] = Math.max(0, eventPauses[vcpu] - 1);
  }

  /** Whether an event that is not answered yet keeps the vCPU from running. */
  public boolean isVcpuPaused(int vcpu) {
    return eventPauses[vcpu] > 0;
  }

  void crash(String reason) {
    if (!isShutDown()) {
      crashReason = reason;
    }
    shutDown(ShutdownReason.CRASH.code());
  }

  /** Ends it for a reason of its own, of 8 bits; the first one wins. */
  public void shutDown(int code) {
    if (!isShutDown()) {
      shutdownCode = code;
      ended.accept(code);
    }
  }

  /** Takes its end back; no effect where it has not ended. */
  public void resume() {
    crashReason = "";
    shutdownCode = NOT_SHUT_DOWN;
  }

  // Toolstacks set the first vCPU's registers before they unpause a domain, which starts it. There
  // are no registers here, so unpausing it does; the guest would start the others itself.
  private void startFirst() {
    if (creationFinished && vcpus > 0 && !firstStarted) {
      firstStarted = true;
      online.set(0);
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
        .put(firstStarted)
        .put(online.toString());
    for (int pauses : eventPauses) {
      digest.put(pauses);
    }
  }
}
