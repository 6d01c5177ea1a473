package io.hypercalld.core;

import com.tngtech.archunit.core.domain.JavaClasses;
import io.hypercalld.core.bits.planted.WordOfADomain;
import io.hypercalld.core.house.HouseRule;
import io.hypercalld.core.house.HouseRules;
import io.hypercalld.core.house.KeepsHouse;
import io.hypercalld.core.memory.planted.FrameOfADomain;
import io.hypercalld.core.planted.Borrower;
import java.util.List;
import java.util.stream.Stream;

/** The core's layers, and the rules of the house. */
final class LayeringTest implements KeepsHouse {
  private static final JavaClasses PRODUCT = HouseRule.productClasses("io.hypercalld.core");

  private static List<HouseRule> layers() {
    return List.of(
        HouseRules.dependsOnly("io.hypercalld.core..", List.of(), Borrower.class),
        HouseRules.dependsOnly("io.hypercalld.core.bits..", List.of(), WordOfADomain.class),
        HouseRules.dependsOnly(
            "io.hypercalld.core.memory..",
            List.of(
                "io.hypercalld.core.bits..",
                "io.hypercalld.core.copy..",
                "io.hypercalld.core.digest..",
                "io.hypercalld.core.errno.."),
            FrameOfADomain.class));
  }

  static Stream<HouseRule> rules() {
    return Stream.of(layers(), HouseRules.everywhere(), HouseRules.belowTheApi())
        .flatMap(List::stream);
  }

  @Override
  public JavaClasses product() {
    return PRODUCT;
  }
}
