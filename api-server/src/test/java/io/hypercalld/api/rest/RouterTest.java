package io.hypercalld.api.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class RouterTest {
  private static final Route ALL = Route.get("/v1/things", "");
  private static final Route ONE = Route.get("/v1/things/{id}", "");
  private static final Route SPECIAL = Route.get("/v1/things/special", "");
  private static final Route DELETE = Route.of(Method.DELETE, "/v1/things/{id}", "");

  private final Router router = new Router(List.of(ALL, ONE, SPECIAL, DELETE));

  private Router.Match get(String path) {
    return router.match(Optional.of(Method.GET), path);
  }

  @Test
  void path_withAPlace_bringsWhatIsThere() {
    assertThat(get("/v1/things/7")).isEqualTo(new Router.Found(ONE, Map.of("id", "7")));
  }

  @Test
  void path_spelledOut_goesBeforeAPlace() {
    assertThat(get("/v1/things/special")).isEqualTo(new Router.Found(SPECIAL, Map.of()));
  }

  @Test
  void method_onlyOfThePlace_isFoundThereToo() {
    assertThat(router.match(Optional.of(Method.DELETE), "/v1/things/7"))
        .isEqualTo(new Router.Found(DELETE, Map.of("id", "7")));
  }

  @Test
  void method_thatThePathHasNot_isToldApart() {
    assertThat(router.match(Optional.of(Method.PUT), "/v1/things/7"))
        .isEqualTo(new Router.WrongMethod(Set.of(Method.GET, Method.DELETE)));
    assertThat(router.match(Optional.empty(), "/v1/things"))
        .isEqualTo(new Router.WrongMethod(Set.of(Method.GET)));
  }

  @Test
  void place_empty_isNoPath() {
    assertThat(get("/v1/things/")).isInstanceOf(Router.Unknown.class);
  }

  @Test
  void path_unknown_bringsTheNearest() {
    assertThat(get("/v1/thing/7"))
        .isEqualTo(new Router.Unknown(List.of("/v1/things/{id}", "/v1/things")));
  }

  @Test
  void route_twice_isRefused() {
    assertThatThrownBy(() -> new Router(List.of(ALL, Route.get("/v1/things", "again"))))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
