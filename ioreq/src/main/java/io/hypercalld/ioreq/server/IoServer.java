package io.hypercalld.ioreq.server;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One ioreq server: an emulator's end of a domain. Confined to the machine thread.
 *
 * @see "xen/include/xen/ioreq.h, struct ioreq_server"
 */
public final class IoServer implements Digestible {
  private final List<Integer> ports = new ArrayList<>();
  private final IoRanges ranges;
  private final int id;
  private final DomainId emulator;
  private final Traits traits;
  private final SharedPages pages;
  private Optional<Integer> ringPort = Optional.empty();
  private long buffered;
  private boolean enabled;

  /**
   * What its emulator chose for it for good.
   *
   * @param extendedDestinations whether it passes on messages with destinations of 15 bits
   */
  public record Traits(BufferedMode mode, boolean extendedDestinations) {}

  IoServer(int id, DomainId emulator, Traits traits, SharedPages pages, List<RangeOwners> owners) {
    this.ranges = new IoRanges(owners, id);
    this.id = id;
    this.emulator = emulator;
    this.traits = traits;
    this.pages = pages;
  }

  public int id() {
    return id;
  }

  /** The domain that created it and alone may change it. */
  public DomainId emulator() {
    return emulator;
  }

  public BufferedMode mode() {
    return traits.mode;
  }

  /** Whether it passes on messages with destinations of 15 bits. */
  public boolean knowsExtendedDestinations() {
    return traits.extendedDestinations;
  }

  public boolean isEnabled() {
    return enabled;
  }

  public IoRanges ranges() {
    return ranges;
  }

  public SharedPages pages() {
    return pages;
  }

  /** The port of a vCPU in the domain; none of a vCPU that is not there. */
  public Optional<Integer> port(int vcpu) {
    return vcpu < ports.size() ? Optional.of(ports.get(vcpu)) : Optional.empty();
  }

  /** The ports of the vCPUs, in their order. */
  public List<Integer> ports() {
    return List.copyOf(ports);
  }

  /** The port of the ring. */
  public Optional<Integer> ringPort() {
    return ringPort;
  }

  /** Requests that were ever put into its ring, which numbers them. */
  public long buffered() {
    return buffered;
  }

  /** One more was. */
  public void noteBuffered() {
    buffered++;
  }

  void addPort(int port) {
    ports.add(port);
  }

  void setRingPort(int port) {
    ringPort = Optional.of(port);
  }

  /** Has it take requests. A slot whose page comes later never learns its port. */
  void enable() {
    enabled = true;
    for (int vcpu = 0; vcpu < ports.size(); vcpu++) {
      tellPort(vcpu);
    }
  }

  void disable() {
    enabled = false;
  }

  /** Writes the port of a vCPU into its slot, if that is there. */
  void tellPort(int vcpu) {
    pages.slot(vcpu).ifPresent(slot -> slot.setPort(ports.get(vcpu)));
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(id).put(emulator.value()).put(traits.toString()).put(enabled);
    digest.put(ringPort.orElse(-1)).put(buffered).put(ports.size());
    ports.forEach(digest::put);
    digest.put(ranges).put(pages);
  }
}
