package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.vtd.Invalidation;
import java.util.Optional;

/**
 * A guest's first-level tables on top of one second-level table: a pseudo domain id whose domain-id
 * tags what units remember of both together, each PASID's apart. Confined to the machine thread.
 *
 * <p>The first-level tables are the guest's, who says when they have changed; changes of the
 * second-level table have everything forgotten that went through it.
 *
 * @see "VT-d §6.2.5, §9.6"
 */
public final class NestedContext implements Digestible {
  private final VtdDriver driver;
  private final DomainId owner;
  private final DomainId tag;
  private final Optional<IoContext> below;

  NestedContext(VtdDriver driver, DomainId owner, DomainId tag, Optional<IoContext> below) {
    this.driver = driver;
    this.owner = owner;
    this.tag = tag;
    this.below = below;
  }

  /** Whose devices may go through it. */
  public DomainId owner() {
    return owner;
  }

  /** The pseudo domain id that stands for it. */
  public DomainId tag() {
    return tag;
  }

  /** The second-level table; empty where it is the owner's own. */
  public Optional<IoContext> below() {
    return below;
  }

  /** Whose changes are changes of this. */
  DomainId secondLevel() {
    return below.map(IoContext::tag).orElse(owner);
  }

  /** Has units forget what a guest's command names; the command's domain-id does not count. */
  public void forget(Invalidation.OfPasidTranslations command) {
    driver.iommuOf(owner).flushing().tell(unit -> unit.forget(tag, command));
  }

  /** Has units forget everything. */
  public void forget() {
    FlushSet everything = new FlushSet();
    everything.everything();
    driver.iommuOf(owner).flushing().flush(tag, everything);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(owner.value()).put(tag.value()).put(secondLevel().value());
  }
}
