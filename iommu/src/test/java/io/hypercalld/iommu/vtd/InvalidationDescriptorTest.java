package io.hypercalld.iommu.vtd;

import static io.hypercalld.iommu.vtd.QueueError.DESCRIPTOR_RESERVED;
import static io.hypercalld.iommu.vtd.QueueError.DESCRIPTOR_TYPE_INVALID;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class InvalidationDescriptorTest {
  private static final Capabilities UNIT =
      new Capabilities(CapabilityFields.PSI.of(1) | CapabilityFields.MAMV.of(18), 0);
  private static final SourceId X = new SourceId(0x0382);

  @Test
  void decode_ofEveryFactory_givesItsCommandBack() {
    Map<InvalidationDescriptor, Invalidation> legal =
        Map.of(
            InvalidationDescriptor.allContexts(), new Invalidation.AllContexts(),
            InvalidationDescriptor.domainContexts(7), new Invalidation.DomainContexts(7),
            InvalidationDescriptor.deviceContexts(7, X, 3),
                new Invalidation.DeviceContexts(7, X, 3),
            InvalidationDescriptor.allTranslations(), new Invalidation.AllTranslations(),
            InvalidationDescriptor.domainTranslations(7), new Invalidation.DomainTranslations(7),
            InvalidationDescriptor.pageTranslations(7, 0x4000, 2, true),
                new Invalidation.PageTranslations(7, 0x4000, 2, true),
            InvalidationDescriptor.waitWithStatus(0x1004, -1),
                new Invalidation.Wait(false, true, -1, 0x1004),
            InvalidationDescriptor.waitWithInterrupt(), new Invalidation.Wait(true, false, 0, 0));

    legal.forEach((descriptor, command) -> assertThat(descriptor.decode(UNIT)).isEqualTo(command));
  }

  @ParameterizedTest
  @CsvSource({
    "0x0, 0x0, DESCRIPTOR_TYPE_INVALID",
    "0x3, 0x0, DESCRIPTOR_TYPE_INVALID",
    "0x4, 0x0, DESCRIPTOR_TYPE_INVALID",
    "0x6, 0x0, DESCRIPTOR_TYPE_INVALID",
    "0x7, 0x0, DESCRIPTOR_TYPE_INVALID",
    "0x8, 0x0, DESCRIPTOR_TYPE_INVALID",
    "0x9, 0x0, DESCRIPTOR_TYPE_INVALID",
    "0xf, 0x0, DESCRIPTOR_TYPE_INVALID",
    "0x1, 0x0, DESCRIPTOR_RESERVED",
    "0x51, 0x0, DESCRIPTOR_RESERVED",
    "0x11, 0x1, DESCRIPTOR_RESERVED",
    "0x211, 0x0, DESCRIPTOR_RESERVED",
    "0x2, 0x0, DESCRIPTOR_RESERVED",
    "0x112, 0x0, DESCRIPTOR_RESERVED",
    "0x100000012, 0x0, DESCRIPTOR_RESERVED",
    "0x12, 0x80, DESCRIPTOR_RESERVED",
    "0x32, 0x13, DESCRIPTOR_RESERVED",
    "0xa5, 0x0, DESCRIPTOR_RESERVED",
    "0x125, 0x0, DESCRIPTOR_RESERVED",
    "0x25, 0x1, DESCRIPTOR_RESERVED",
  })
  void decode_ofIllegalWords_saysWhy(long lo, long hi, QueueError error) {
    assertThat(error).isIn(DESCRIPTOR_RESERVED, DESCRIPTOR_TYPE_INVALID);
    assertThat(new InvalidationDescriptor(lo, hi).decode(UNIT))
        .isEqualTo(new Invalidation.Malformed(error));
  }

  @Test
  void decode_ofPageSelectiveWithoutPsi_isReserved() {
    InvalidationDescriptor descriptor = InvalidationDescriptor.pageTranslations(1, 0, 0, false);

    assertThat(descriptor.decode(new Capabilities(0, 0)))
        .isEqualTo(new Invalidation.Malformed(DESCRIPTOR_RESERVED));
  }
}
