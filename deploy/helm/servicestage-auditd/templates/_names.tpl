{{- define "auditd.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The release's name has the chart's in it, or gets it. A StatefulSet's pods add 11 characters. */}}
{{- define "auditd.fullname" -}}
{{- $name := include "auditd.name" . -}}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $both | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "auditd.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "auditd.fullname" .) "default") -}}
{{- end -}}

{{- define "auditd.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}
{{- else -}}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Before every page, from the external URL: "" or /path. */}}
{{- define "auditd.prefix" -}}
{{- (urlParse .Values.web.externalUrl).path | trimSuffix "/" -}}
{{- end -}}

{{- define "auditd.selector" -}}
app.kubernetes.io/name: {{ include "auditd.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: daemon
{{- end -}}

{{- define "auditd.labels" -}}
app.kubernetes.io/name: {{ include "auditd.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "auditd.metadata" -}}
name: {{ include "auditd.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "auditd.labels" . | nindent 2 }}
{{- end -}}
