{{- /* Of a role: root, role. */ -}}
{{- define "einthoven.labels" -}}
{{ include "einthoven.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "einthoven.selector" -}}
app.kubernetes.io/name: einthoven
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- if ne .role "all" }}
app.kubernetes.io/component: {{ .role }}
{{- end }}
{{- end }}

{{- define "einthoven.roles" -}}
{{- if not .Values.roles.separate }}all{{ else if include "einthoven.shared" . }}router,registry{{ else }}{{ fail "roles.separate needs database.secret and bucket.secret, by which servers share a registry" }}{{ end -}}
{{- end }}

{{- /* The name of a role's deployment and service: release, role. */ -}}
{{- define "einthoven.server" -}}
{{ .release }}{{ if eq .role "registry" }}-registry{{ end }}
{{- end }}

{{- define "einthoven.name" -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Several servers only where what they share is elsewhere. */ -}}
{{- define "einthoven.shared" -}}
{{- if and .Values.database.secret .Values.bucket.secret }}yes{{ else if or .Values.database.secret .Values.bucket.secret }}{{ fail "set both database.secret and bucket.secret, or neither: replicas that share a log must share the files too" }}{{ end -}}
{{- end }}

{{- /* Whether there is a master key; several servers need one. */ -}}
{{- define "einthoven.master" -}}
{{- if .Values.masterKey.secret }}yes{{ else if include "einthoven.shared" . }}{{ fail "set masterKey.secret: several servers need a master key, by which a person is erased on all of them" }}{{ end -}}
{{- end }}
