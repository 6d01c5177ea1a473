package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One interrupt of the machine: {@code irq_desc}. Confined to the machine thread.
 *
 * @see "xen/include/xen/irq.h"
 */
public final class MachineInterrupt implements Digestible {
  /** What asks for it. */
  public sealed interface Source permits MsiSource, IoApicPin, HpetTimer {}

  private final int number;
  private final List<DomainId> guests = new ArrayList<>();
  private Optional<Source> source = Optional.empty();
  private boolean shareable;
  private ProcessorVector at;

  MachineInterrupt(int number, ProcessorVector at) {
    this.number = number;
    this.at = at;
  }

  /** Its number: the GSI of a pin, or a higher one. */
  public int number() {
    return number;
  }

  /** Which vector of which processor it has. */
  public ProcessorVector at() {
    return at;
  }

  void moveTo(ProcessorVector place) {
    at = place;
  }

  /** What asks for it; empty while nothing does. */
  public Optional<Source> source() {
    return source;
  }

  void setSource(Optional<Source> asking) {
    source = asking;
  }

  /** What asks for it, where that is a message. */
  public Optional<MsiSource> message() {
    return source.filter(MsiSource.class::isInstance).map(MsiSource.class::cast);
  }

  /** Domains that it is passed on to. */
  public List<DomainId> guests() {
    return List.copyOf(guests);
  }

  boolean isShareable() {
    return shareable;
  }

  void passTo(DomainId domain, boolean share) {
    shareable = share;
    guests.add(domain);
  }

  void passNoMoreTo(DomainId domain) {
    guests.remove(domain);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(number).put(at.processor()).put(at.vector()).put(shareable);
    guests.forEach(guest -> digest.put(guest.value()));
    source.ifPresent(asking -> digest.put(asking.toString()));
  }
}
