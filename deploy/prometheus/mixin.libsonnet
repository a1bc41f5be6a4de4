// The rules and dashboards as a monitoring mixin: https://monitoring.mixins.dev
//
// The YAML beside this file is the source. This only reads it, and puts another job and another
// place of the runbooks into it:
//
//   (import 'mixin.libsonnet') + { _config+:: { selector: 'job=~"auditd-.+"' } }
//
// A group holds its recording rules and the alerts that need them, so all are prometheusAlerts.
local defaults = {
  selector: 'job="servicestage-auditd"',
  runbooks: 'https://servicestage-auditd.readthedocs.io/en/latest/runbooks.html',
};

{
  _config:: defaults,

  local configured(text) = std.strReplace(
    std.strReplace(text, defaults.selector, $._config.selector), defaults.runbooks, $._config.runbooks
  ),

  prometheusAlerts+:: {
    groups+: std.flatMap(function(text) std.parseYaml(configured(text)).groups, [
      importstr 'rules/authorizations.yaml',
      importstr 'rules/daemon.yaml',
      importstr 'rules/deliveries.yaml',
      importstr 'rules/projects.yaml',
    ]),
  },

  grafanaDashboards+:: {
    'auditd-fleet.json': import '../grafana/dashboards/fleet.json',
    'auditd-authorization.json': import '../grafana/dashboards/authorization.json',
  },
}
