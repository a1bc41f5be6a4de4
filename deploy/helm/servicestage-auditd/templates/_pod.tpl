{{/* The pod, whatever keeps it running. */}}
{{- define "auditd.pod" -}}
{{- $postgresql := eq .Values.storage.type "postgresql" -}}
metadata:
  labels:
    {{- merge (include "auditd.selector" . | fromYaml) .Values.podLabels | toYaml | nindent 4 }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "auditd.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: daemon
      image: {{ include "auditd.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      workingDir: /
      command: [servicestage-auditd]
      args:
        - run
        - --config.file=/etc/servicestage-auditd/auditd.yaml
        - --web.listen-address=:9877
        - --web.health-listen-address=:9878
        {{- with .Values.web.externalUrl }}
        - {{ printf "--web.external-url=%s" . | quote }}
        {{- end }}
        {{- if .Values.web.existingSecret }}
        - --web.config.file=/run/secrets/servicestage-auditd-web/web.yaml
        {{- end }}
        - --log.level={{ .Values.logLevel }}
        - --log.format=json
        {{- range .Values.extraArgs }}
        - {{ quote . }}
        {{- end }}
      {{- with .Values.extraEnv }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 9877
        - name: health
          containerPort: 9878
      startupProbe:
        httpGet:
          path: /-/healthy
          port: health
        periodSeconds: 2
        failureThreshold: {{ div (add .Values.startupSeconds 1) 2 }}
      livenessProbe:
        httpGet:
          path: /-/healthy
          port: health
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          path: /-/ready
          port: health
        periodSeconds: 10
        timeoutSeconds: 5
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      terminationMessagePolicy: FallbackToLogsOnError
      {{- /* Directories, never subPath: what is mounted by subPath is never updated. */}}
      volumeMounts:
        - name: config
          mountPath: /etc/servicestage-auditd
          readOnly: true
        - name: tmp
          mountPath: /tmp
        {{- if or .Values.existingSecret $postgresql }}
        - name: secrets
          mountPath: /run/secrets/servicestage-auditd
          readOnly: true
        {{- end }}
        {{- if .Values.web.existingSecret }}
        - name: web
          mountPath: /run/secrets/servicestage-auditd-web
          readOnly: true
        {{- end }}
        {{- if not $postgresql }}
        - name: state
          mountPath: /var/lib/servicestage-auditd
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "auditd.fullname" . }}
    - name: tmp
      emptyDir:
        sizeLimit: 64Mi
    {{- if or .Values.existingSecret $postgresql }}
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          {{- with .Values.existingSecret }}
          - secret:
              name: {{ . }}
          {{- end }}
          {{- if and $postgresql (ne (include "auditd.databaseFile" .) "already there") }}
          - secret:
              name: {{ include "auditd.databaseSecret" . }}
              items:
                - key: {{ .Values.storage.postgresql.key }}
                  path: storage_url
          {{- end }}
    {{- end }}
    {{- with .Values.web.existingSecret }}
    - name: web
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- with .Values.storage.sqlite.existingClaim }}
    {{- if not $postgresql }}
    - name: state
      persistentVolumeClaim:
        claimName: {{ . }}
    {{- end }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if and (gt (int .Values.replicas) 1) (not .Values.topologySpreadConstraints) }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      matchLabelKeys: [pod-template-hash]
      labelSelector:
        matchLabels:
          {{- include "auditd.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
  {{- with get $.Values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end -}}

{{- define "auditd.databaseSecret" -}}
{{- .Values.storage.postgresql.existingSecret | default .Values.existingSecret
    | required "storage.postgresql.existingSecret: name the Secret with the database's URL" -}}
{{- end -}}

{{/* The Secret whose keys all become files may have the URL under its name already. */}}
{{- define "auditd.databaseFile" -}}
{{- $isThere := eq (include "auditd.databaseSecret" .) .Values.existingSecret -}}
{{- if and $isThere (eq .Values.storage.postgresql.key "storage_url") }}already there{{ end -}}
{{- end -}}
