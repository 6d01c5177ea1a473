package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.iommu.driver.DmaPolicy;
import io.hypercalld.iommu.driver.DmaPolicy.Tables;
import io.hypercalld.iommu.driver.TableFrameSize;
import java.util.EnumSet;
import java.util.Optional;

/** A way to have devices translate, as people argued about it. */
public enum TableMode {
  /** A P2M of 16 KiB pages, and a table of 4 KiB leaves beside it. */
  SEPARATE_4K("separate-4K", PageSize.SIZE_4K, TableFrameSize.FRAME_4K),
  /** The same, with each table in a frame as large as a page of the P2M: what was shipped. */
  SEPARATE_4K_IN_16K("separate-4K-in-16K", PageSize.SIZE_4K, TableFrameSize.FRAME_16K),
  /** A P2M of 16 KiB pages, and a table that may have leaves of 2 MiB. */
  SEPARATE_2M("separate-2M", PageSize.SIZE_2M, TableFrameSize.FRAME_4K),
  /** A P2M of 16 KiB pages, and a table that may have leaves of 1 GiB, too. */
  SEPARATE_1G("separate-1G", PageSize.SIZE_1G, TableFrameSize.FRAME_4K),
  /** A P2M of 4 KiB pages in the format that devices understand. */
  SHARED_4K("shared-4K", PageSize.SIZE_1G, TableFrameSize.FRAME_4K);

  private final String text;
  private final PageSize largestLeaf;
  private final TableFrameSize tableFrames;

  TableMode(String text, PageSize largestLeaf, TableFrameSize tableFrames) {
    this.text = text;
    this.largestLeaf = largestLeaf;
    this.tableFrames = tableFrames;
  }

  boolean isShared() {
    return this == SHARED_4K;
  }

  /** What a domain is made with. */
  MemoryPolicies policies() {
    return new MemoryPolicies(
        isShared() ? P2mGeometry.GRANULE_4K : P2mGeometry.GRANULE_16K,
        Optional.empty(),
        new DmaPolicy(
            isShared() ? Tables.SHARED : Tables.SEPARATE,
            EnumSet.range(PageSize.SIZE_4K, largestLeaf),
            tableFrames));
  }

  @Override
  public String toString() {
    return text;
  }
}
