package io.hypercalld.ioreq;

import static io.hypercalld.core.house.HouseRules.dependsOnly;

import com.tngtech.archunit.core.domain.JavaClasses;
import io.hypercalld.core.house.HouseRule;
import io.hypercalld.core.house.HouseRules;
import io.hypercalld.core.house.KeepsHouse;
import io.hypercalld.ioreq.page.planted.SlotOfAServer;
import io.hypercalld.ioreq.planted.Borrower;
import io.hypercalld.ioreq.server.planted.DispatchingServer;
import java.util.List;
import java.util.stream.Stream;

/** The layers of the IOREQ servers, and the rules of the house. */
final class LayeringTest implements KeepsHouse {
  private static final JavaClasses PRODUCT = HouseRule.productClasses("io.hypercalld.ioreq");

  private static final String CORE = "io.hypercalld.core..";
  private static final String PAGE = "io.hypercalld.ioreq.page..";
  private static final String SERVER = "io.hypercalld.ioreq.server..";

  private static List<HouseRule> layers() {
    return List.of(
        dependsOnly("io.hypercalld.ioreq..", List.of(CORE), Borrower.class),
        dependsOnly(PAGE, List.of(CORE), SlotOfAServer.class),
        dependsOnly(SERVER, List.of(PAGE, CORE), DispatchingServer.class));
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
