package io.hypercalld.core.state;

import io.hypercalld.core.domain.DomainId;
import java.util.List;
import java.util.OptionalLong;

/** The devices of guests, and what they see of memory. */
public interface Devices {
  /** {@code iommu_opts} of a guest that is to have a device. */
  long iommuOptions();

  /** Whether they are devices to the hypervisor, too. */
  boolean areAssigned();

  /** Gives a device to a guest, which has no memory yet. */
  void attach(DomainId guest);

  /** A guest is about to be destroyed, and its device taken away with it. */
  void forget(DomainId guest);

  /** The first word of a page, as the guest's device reads it; empty where it may not. */
  OptionalLong read(DomainId guest, long frame);

  /** Has the guest's device write the first word of a page; answers whether it may. */
  boolean write(DomainId guest, long frame, long word);

  /** What does not hold between devices and what they see; empty where all is well. */
  List<String> violations();
}
